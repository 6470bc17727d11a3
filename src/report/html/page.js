// Filters the findings and sorts tables. The page is complete without it.
"use strict";
(() => {
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  document.documentElement.classList.add("js");

  const collator = new Intl.Collator("en", { numeric: true });
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
  };
  const sort = (table, column, heading) => {
    const falling = heading.getAttribute("aria-sort") !== "descending" && heading.classList.contains("num")
      || heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row) => [value(row, column), row]);
    rows.sort((a, b) => collator.compare(a[0], b[0]) * (falling ? -1 : 1));
    all("th[aria-sort]", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    body.append(...rows.map((row) => row[1]));
  };
  all("table[data-sort]").forEach((table) => {
    all("th", table.tHead).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  });

  // Only what scrolls needs a place in the order of the tab key.
  const regions = all("[role=region]").filter((region) => !region.closest(".finding"));
  const reach = () => regions.forEach((region) => {
    region.tabIndex = region.scrollWidth > region.clientWidth ? 0 : -1;
  });
  addEventListener("resize", reach);
  addEventListener("toggle", reach, true);
  reach();

  // What is closed would not be printed.
  addEventListener("beforeprint", () => {
    all("details:not([open])").forEach((details) => { details.open = true; details.dataset.closed = ""; });
  });
  addEventListener("afterprint", () => {
    all("details[data-closed]").forEach((details) => { details.open = false; delete details.dataset.closed; });
  });

  const form = document.getElementById("filter");
  if (!form) return;
  form.hidden = false;
  const findings = all(".finding").map((element) => ({ element, text: "", ...element.dataset }));
  const groups = all(".group");
  const count = document.getElementById("filter-count");
  const pairLine = document.getElementById("filter-pair");
  let pair = null;
  const filter = () => {
    const words = document.getElementById("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(all("input[name=severity]:checked", form).map((box) => box.value));
    let shown = 0;
    for (const finding of findings) {
      if (words.length && !finding.text) finding.text = finding.element.textContent.toLowerCase();
      const fits = severities.has(finding.severity)
        && (!pair || (pair.from === finding.from && pair.to === finding.to))
        && words.every((word) => finding.text.includes(word));
      finding.element.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const group of groups) group.hidden = !group.querySelector(".finding:not([hidden])");
    count.textContent = `${shown} of ${findings.length} shown`;
    pairLine.hidden = !pair;
    if (pair) pairLine.firstElementChild.textContent = `${pair.from} \u2192 ${pair.to}`;
  };
  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  pairLine.querySelector("button").addEventListener("click", () => { pair = null; filter(); });
  all("a[data-from], .heat g").forEach((link) => link.addEventListener("click", () => {
    pair = { from: link.dataset.from, to: link.dataset.to };
    filter();
    location.hash = "#findings";
  }));
  // A link to a finding that the filter hides shows it again.
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const hidden = target && target.closest("[hidden]");
    if (hidden) { form.reset(); pair = null; filter(); target.scrollIntoView(); }
  });
  filter();
})();
