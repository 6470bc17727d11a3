VARIANTS = {}
def write_variant(*a): pass
