/* Shows each packet that comes in at an interface SENDERS times at another one, each time from
   another sender: the lower half of the source address of untagged IPv4 becomes 200.1, 200.2, and
   so on. For tc: `filter add dev IN ingress bpf direct-action object-file THIS section classifier`,
   built by `clang -target bpf -O2 -DINTERFACE=index -DSENDERS=number`. */

struct packet;

/* Numbers of linux/bpf.h: bpf_skb_store_bytes and bpf_clone_redirect. */
static long (*store)(struct packet *, unsigned, const void *, unsigned, unsigned long) = (void *)9;
static long (*clone_to)(struct packet *, unsigned, unsigned long) = (void *)13;

#define SOURCE_LOWER_HALF (14 + 12 + 2)
#define DROP 2 /* TC_ACT_SHOT */

__attribute__((section("classifier"), used)) int multiply(struct packet *packet)
{
#pragma unroll
    for (int sender = 1; sender <= SENDERS; sender++) {
        unsigned char address[2] = {200, (unsigned char)sender};
        store(packet, SOURCE_LOWER_HALF, address, sizeof address, 0);
        clone_to(packet, INTERFACE, 0);
    }
    return DROP;
}

/* The kernel lends these functions to programs under this licence alone. */
char licence[] __attribute__((section("license"), used)) = "GPL";
