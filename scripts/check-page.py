#!/usr/bin/env python3
"""Looks at pages of reports in a real browser.

    scripts/check-page.py [--program PATH] [--shots FOLDER] [PAGE...]

Without pages it makes those of the fixtures, one with five thousand findings among them, with the
program. Each is opened in headless chromium, and must
  - open within two seconds, write nothing to the console and ask for nothing on any network;
  - fit 360 and 1280 pixels without scrolling sideways as a whole;
  - have a contrast of 4.5 or more in every text, light, dark and printed;
  - say the same without script; filter and sort with it;
  - have no fault of accessibility that axe-core finds, and let the tab key reach every control.
axe-core is taken from the npm registry, or from the file that --axe names; without it that part is
left out, and the last line says so.
--shots keeps screenshots and the printed page. Without chromium it says so and ends with status 77.
"""

import argparse
import base64
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77
WIDTHS = [360, 768, 1280, 1600]
AXE = "axe-core@4.14.1"
# Presses of the tab key, so that a page with thousands of links does not take for ever.
MOST_KEYS = 600

CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data);
  };
  const light = (colour) => {
    const part = colour.slice(0, 3).map((c) => c / 255)
      .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const cache = new Map();
  const ratio = (ink, ground) => {
    const key = ink + '|' + ground;
    if (!cache.has(key)) {
      const [a, b] = [light(rgba(ink)), light(rgba(ground))].sort((x, y) => y - x);
      cache.set(key, (a + 0.05) / (b + 0.05));
    }
    return cache.get(key);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)' && colour !== 'transparent') return colour;
    }
    return 'white';
  };
  const poor = new Map();
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && seen < 20000) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest('title, script, style')) continue;
    const style = getComputedStyle(element);
    if (style.visibility === 'hidden' || style.display === 'none') continue;
    seen += 1;
    const drawn = element.closest('svg');
    const cell = drawn && element.closest('g');
    const ink = drawn ? style.fill : style.color;
    const behind = cell ? getComputedStyle(cell.querySelector('rect')).fill : ground(drawn || element);
    const value = ratio(ink, behind);
    if (value < 4.5) poor.set(`${element.tagName}.${element.className.baseVal ?? element.className}: ${ink} on ${behind}`, value);
  }
  return JSON.stringify({ seen, poor: Array.from(poor).slice(0, 10) });
})()"""

OVERFLOW = """(() => {
  const width = document.documentElement.clientWidth;
  const wide = Array.from(document.querySelectorAll('body *')).filter((element) =>
    element.getBoundingClientRect().right > width + 1 && !element.closest('.scroll, pre, .skip, .unseen'));
  return JSON.stringify([document.documentElement.scrollWidth - width,
    wide.slice(0, 3).map((element) => element.tagName + '.' + element.className)]);
})()"""


class Browser:
    """Chromium, spoken to over two pipes."""

    def __init__(self, program, folder):
        to_browser, self.to_browser = os.pipe()
        self.from_browser, from_browser = os.pipe()

        def arrange():
            os.dup2(to_browser, 3)
            os.dup2(from_browser, 4)

        # Duplicates above the numbers that chromium expects, so that none is closed by accident.
        to_browser, from_browser = (high(end) for end in (to_browser, from_browser))
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     "--remote-debugging-pipe", "--no-first-run", f"--user-data-dir={folder}",
                     "about:blank"]
        self.process = subprocess.Popen([program, *arguments], preexec_fn=arrange, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.numbers = itertools.count(1)
        self.rest = b""
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]

    session = None

    def call(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to_browser, data):]
        while True:
            answer = self.next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def next(self):
        while b"\0" not in self.rest:
            part = os.read(self.from_browser, 1 << 20)
            if not part:
                raise RuntimeError("chromium has ended")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        if "method" in message:
            self.events.append(message)
        return message

    def wait_for(self, method):
        while not any(event["method"] == method for event in self.events):
            self.next()

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def open(self, page):
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def view(self, width, scheme="light", medium=""):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=medium,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def end(self):
        os.close(self.to_browser)
        self.process.wait(timeout=30)


def high(end):
    import fcntl
    return fcntl.fcntl(end, fcntl.F_DUPFD, 20)


class Faults:
    def __init__(self):
        self.list = []

    def check(self, holds, page, message):
        if not holds:
            self.list.append(f"{page.name}: {message}")


def look(browser, page, faults, shots, axe):
    browser.view(1280)
    opened = min(timed(lambda: browser.open(page)) for _ in range(3))
    faults.check(opened < 2, page, f"took {opened:.2f} s to open")
    asked = [event["params"]["request"]["url"] for event in browser.events
             if event["method"] == "Network.requestWillBeSent"]
    outside = [url for url in asked if not url.startswith(("file:", "data:"))]
    faults.check(not outside and len([u for u in asked if u.startswith("file:")]) == 1, page,
                 f"asked for {asked}")
    said = [event for event in browser.events if event["method"] in
            ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")]
    faults.check(not said, page, f"console: {json.dumps(said)[:400]}")
    if page.stem == "many":
        return opened
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            browser.view(width, scheme)
            over, which = json.loads(browser.evaluate(OVERFLOW))
            faults.check(over <= 0 and not which, page, f"{over} pixels too wide at {width}: {which}")
            keep(browser, shots, f"{page.stem}-{width}-{scheme}.png")
    for scheme, medium in (("light", ""), ("dark", ""), ("light", "print"), ("dark", "print")):
        browser.view(1280, scheme, medium)
        contrast = json.loads(browser.evaluate(CONTRAST))
        faults.check(contrast["seen"] > 100, page, f"only {contrast['seen']} texts seen")
        faults.check(not contrast["poor"], page, f"contrast {scheme} {medium}: {contrast['poor']}")
        if not medium:
            accessible(browser, page, faults, axe, scheme)
    browser.view(1280)
    reach(browser, page, faults)
    script(browser, page, faults)
    if shots:
        printed = browser.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        (shots / f"{page.stem}.pdf").write_bytes(base64.b64decode(printed["data"]))
    without_script(browser, page, faults)
    return opened


def accessible(browser, page, faults, axe, how):
    """What axe-core finds."""
    if not axe:
        return
    if not browser.evaluate("'axe' in window"):
        browser.evaluate(axe)
    found = browser.evaluate("""axe.run(document, { resultTypes: ['violations'] }).then((result) =>
      JSON.stringify([result.passes.length, result.violations.map((one) => one.id + ': ' + one.help
        + ': ' + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | '))]))""")
    passed, violations = json.loads(found)
    faults.check(passed > 20, page, f"axe-core: only {passed} rules applied {how}")
    faults.check(not violations, page, f"axe-core {how}: {violations}")


def reach(browser, page, faults):
    """The tab key reaches every link, button, field and summary that is shown, and what it reaches
    is marked."""
    wanted = browser.evaluate("""(() => {
      const all = document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]');
      const open = (one) => one.checkVisibility() && one.tabIndex >= 0;
      window.wanted = new Set(Array.from(all).filter(open));
      window.plain = new Set();
      scrollTo(0, 0);
      document.activeElement.blur();
      addEventListener('focusin', ({ target }) => {
        wanted.delete(target);
        const style = getComputedStyle(target);
        if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) plain.add(target.outerHTML.slice(0, 80));
      });
      return wanted.size;
    })()""")
    key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    for _ in range(min(wanted, MOST_KEYS) + 5):
        browser.call("Input.dispatchKeyEvent", type="keyDown", **key)
        browser.call("Input.dispatchKeyEvent", type="keyUp", **key)
    missed, plain = json.loads(browser.evaluate("""JSON.stringify([
      Array.from(wanted, (one) => one.outerHTML.slice(0, 80)), Array.from(plain)])"""))
    faults.check(wanted > MOST_KEYS or not missed, page, f"the tab key does not reach {missed[:3]}")
    faults.check(not plain, page, f"no mark of the focus: {plain[:3]}")


def timed(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def script(browser, page, faults):
    """The filter, the map and the sorting."""
    shown = "document.querySelectorAll('.finding:not([hidden])').length"
    every = browser.evaluate(shown)
    if every == 0:
        return
    browser.evaluate("""(() => {
      const box = document.querySelector('input[value=high]');
      box.checked = false; box.dispatchEvent(new Event('input', { bubbles: true }));
    })()""")
    time.sleep(0.5)
    lighter = browser.evaluate("document.querySelectorAll('.finding:not([data-severity=high])').length")
    faults.check(browser.evaluate(shown) == lighter, page, "the filter of severities")
    browser.evaluate("document.getElementById('filter').reset()")
    browser.evaluate("""document.querySelector('tr[data-pair] a').click()""")
    pair = browser.evaluate("""(() => {
      const link = document.querySelector('tr[data-pair] a').dataset;
      const fits = (one) => one.dataset.from === link.from && one.dataset.to === link.to;
      const all = Array.from(document.querySelectorAll('.finding'));
      return all.every((one) => one.hidden !== fits(one)) && all.some(fits);
    })()""")
    faults.check(pair, page, "the filter of pairs")
    first = browser.evaluate("document.querySelector('.finding[hidden]')?.id ?? ''")
    if first:
        browser.evaluate(f"location.hash = '#{first}'")
        time.sleep(0.5)
        faults.check(browser.evaluate(shown) == every, page, "a link to a hidden finding")
    browser.evaluate("document.querySelector('#roles th.num button').click()")
    falling = browser.evaluate("""(() => {
      const flows = Array.from(document.querySelectorAll('tr[data-pair]'), (row) => +row.dataset.flows);
      return flows.every((number, at) => at === 0 || flows[at - 1] >= number);
    })()""")
    faults.check(falling, page, "the order of a sorted table")


def without_script(browser, page, faults):
    texts = []
    for disabled in (False, True):
        browser.call("Emulation.setScriptExecutionDisabled", value=disabled)
        browser.open(page)
        texts.append(browser.evaluate("document.querySelector('main').textContent.length"))
        hidden = browser.evaluate("document.querySelector('#filter')?.hidden ?? true")
        faults.check(hidden == disabled or texts[-1] and not browser.evaluate(
            "!!document.querySelector('#filter')"), page, "the filter shows without script")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    # Sorting adds no text; the filter tells how many findings it shows.
    faults.check(0 <= texts[0] - texts[1] < 40, page, f"without script {texts[1]} of {texts[0]} letters")


def keep(browser, shots, name):
    if shots:
        browser.evaluate("document.querySelectorAll('.finding')"
                         ".forEach((one) => { one.style.contentVisibility = 'visible'; })")
        height = min(browser.evaluate("document.documentElement.scrollHeight"), 12_000)
        clip = {"x": 0, "y": 0, "width": browser.evaluate("innerWidth"), "height": height, "scale": 1}
        shot = browser.call("Page.captureScreenshot", format="png", clip=clip,
                            captureBeyondViewport=True)
        (shots / name).write_bytes(base64.b64decode(shot["data"]))


def pages(program, folder):
    """The pages of the fixtures, and one with five thousand findings."""
    made = []
    for name in ("quickstart", "voicemail"):
        fixture = ROOT / "fixtures" / name
        report, page = folder / f"{name}.json", folder / f"{name}.html"
        subprocess.run([program, "check", fixture / "capture.pcap", "--site", fixture / "site.toml",
                        "--report", report, "--html", page, "--quiet"], check=False)
        made.append(page)
    report = json.loads((folder / "voicemail.json").read_text())
    findings = list(itertools.islice(itertools.cycle(report["findings"]), 5_000))
    report["findings"] = [dict(one, id=f"F-{at:012x}") for at, one in enumerate(findings)]
    many, page = folder / "many.json", folder / "many.html"
    many.write_text(json.dumps(report))
    subprocess.run([program, "report", "html", many, "-o", page], check=True)
    return [*made, page]


def axe_core(given, folder):
    """The text of axe-core, or nothing."""
    if given:
        return given.read_text()
    npm = shutil.which("npm")
    install = [npm, "install", "--silent", "--no-save", "--no-fund", "--no-audit", "--ignore-scripts",
               "--prefix", folder, AXE]
    if not npm or subprocess.run(install, check=False, stdout=subprocess.DEVNULL,
                                 stdin=subprocess.DEVNULL).returncode:
        return None
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--program", default=ROOT / "target" / "release" / "portolan")
    arguments.add_argument("--shots", type=pathlib.Path)
    arguments.add_argument("--axe", type=pathlib.Path)
    arguments.add_argument("pages", nargs="*", type=pathlib.Path)
    arguments = arguments.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        print("SKIPPED: no chromium here, so no page was looked at", file=sys.stderr)
        return SKIPPED
    if arguments.shots:
        arguments.shots.mkdir(parents=True, exist_ok=True)
    faults = Faults()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        axe = axe_core(arguments.axe, folder)
        browser = Browser(chromium, folder / "profile")
        for domain in ("Page", "Runtime", "Log", "Network"):
            browser.call(f"{domain}.enable")
        for page in arguments.pages or pages(arguments.program, folder):
            opened = look(browser, page, faults, arguments.shots, axe)
            print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB, opened in {opened:.2f} s")
        browser.end()
    for fault in faults.list:
        print(f"FAULT {fault}")
    print(f"{len(faults.list)} faults")
    if not axe:
        print("SKIPPED: axe-core cannot be had here, so it was not applied")
    return 1 if faults.list else 0


if __name__ == "__main__":
    sys.exit(main())
