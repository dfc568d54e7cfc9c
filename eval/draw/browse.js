"use strict";
// The list of examples: read after the page is painted, a screenful laid out at a
// time. Texts become text nodes, never markup.
(() => {
  const pageSize = 20, foldedFrom = 400, beginning = 160;
  const make = (tag, properties, ...children) => {
    const e = Object.assign(document.createElement(tag), properties);
    e.append(...children);
    return e;
  };

  function select(name, options, changed) {
    const s = make("select", {}, ...options.map(([value, label]) => make("option", {value, textContent: label})));
    s.addEventListener("change", changed);
    return [make("label", {}, name, s), s];
  }

  function passage(name, text) {
    const pre = make("pre", {dir: "auto", textContent: text === "" ? "(empty)" : text});
    const long = text.length > foldedFrom || text.split("\n").length > 12;
    const shown = long ? make("details", {}, make("summary", {dir: "auto", textContent: text.slice(0, beginning).trim() + "… (" + [...text].length + " characters)"}), pre) : pre;
    return [make("h4", {textContent: name}), shown];
  }

  function article(list, item) {
    const texts = (item.x ?? []).flatMap((text, i) => passage(list.texts[i], text));
    return make("li", {className: "example"}, make("h3", {textContent: item.t}), make("p", {className: "note", textContent: item.n}), ...texts);
  }

  // ordered compares by a value; entries without it come last either way.
  const ordered = ({by, down}) => (a, b) => {
    const x = a.v[by], y = b.v[by];
    if (x === null || y === null) return (x === null) - (y === null);
    return down ? y - x : x - y;
  };

  function show(list, place) {
    let found = [], at = 0;
    const search = make("input", {type: "search", autocomplete: "off"});
    const count = make("p", {role: "status", id: "browse-count"});
    const shown = make("ol", {className: "listed", id: "browse-list"});
    const back = make("button", {type: "button", textContent: "Previous"}), on = make("button", {type: "button", textContent: "Next"});
    const where = make("p", {id: "browse-where"});

    function lay() {
      at = Math.max(0, Math.min(at, Math.floor((found.length - 1) / pageSize) * pageSize));
      shown.replaceChildren(...found.slice(at, at + pageSize).map(item => article(list, item)));
      where.textContent = found.length ? (at + 1) + " to " + Math.min(at + pageSize, found.length) + " of " + found.length : "none";
      back.disabled = at === 0;
      on.disabled = at + pageSize >= found.length;
    }
    function find() {
      const words = search.value.toLowerCase().split(/\s+/).filter(w => w), wanted = facets.map(([, s]) => s.value);
      found = list.items.filter(item => {
        if (wanted.some((w, k) => w !== "" && item.f[k] !== w.slice(1))) return false;
        if (!words.length) return true;
        const all = [item.t, item.n, ...(item.x ?? [])].join("\n").toLowerCase();
        return words.every(w => all.includes(w));
      }).sort(ordered(list.sorts[sort.value]));
      at = 0;
      count.textContent = found.length + " of " + list.items.length + " examples";
      lay();
    }
    // a value is the facet's with = before it, so that an empty one is not "all"
    const facets = list.facets.map((name, k) => {
      const values = [...new Set(list.items.map(item => item.f[k]))].sort();
      return select(name, [["", "all"], ...values.map(v => ["=" + v, v === "" ? "(none)" : v])], find);
    });
    // fromAddress reads filters from the address, as #ranked=wrong&search=words
    function fromAddress() {
      const at = new URLSearchParams(location.hash.slice(1));
      if (![...list.facets, "search"].some(name => at.has(name))) return false;
      search.value = at.get("search") ?? "";
      facets.forEach(([, s], k) => {
        const value = at.get(list.facets[k]);
        if (value !== null && ![...s.options].some(o => o.value === "=" + value)) s.append(make("option", {value: "=" + value, textContent: value})); // none is of it
        s.value = value === null ? "" : "=" + value;
      });
      return true;
    }
    const [sorting, sort] = select("sort", list.sorts.map((s, i) => [String(i), s.name]), find);
    const turn = by => () => { at += by * pageSize; lay(); };
    back.addEventListener("click", turn(-1));
    on.addEventListener("click", turn(1));
    let typing;
    search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(find, 120); });
    place.replaceChildren(
      make("div", {className: "browse"}, make("label", {}, "search", search), ...facets.map(([label]) => label), sorting, count),
      shown, make("div", {className: "pager"}, back, on, where));
    const go = () => { if (fromAddress()) { find(); place.scrollIntoView(); } };
    addEventListener("hashchange", go);
    find();
    go();
  }

  const place = document.getElementById("browse");
  place.replaceChildren(make("p", {className: "note", textContent: "Reading the examples…"}));
  requestAnimationFrame(() => setTimeout(() => show(JSON.parse(document.getElementById("browsed").textContent), place)));
})();
