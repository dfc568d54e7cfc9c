'use strict';
// Charts of small SVG: lines over steps, of several runs.
const svgElement = (name, attributes, text) => {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text !== undefined) e.textContent = text;
  return e;
};

// short writes a number with about three digits.
function short(x) {
  if (x === null || x === undefined) return '–';
  if (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6)) return x.toExponential(1);
  return Number.isInteger(x) ? String(x) : x.toPrecision(Math.abs(x) >= 100 ? 4 : 3);
}

// thinned leaves at most as many points, each the mean of its neighbours.
function thinned(points, most) {
  const of = Math.ceil(points.length / most);
  if (of <= 1) return points;
  const out = [];
  for (let i = 0; i < points.length; i += of) {
    const part = points.slice(i, i + of);
    out.push([part[part.length - 1][0], part.reduce((sum, p) => sum + p[1], 0) / part.length]);
  }
  return out;
}

// chart draws one metric of series [{name, colour, points}].
function chart(metric, title, series) {
  const lines = [];
  for (const s of series) {
    for (const valid of [false, true]) {
      const points = s.points.filter((p) => !!p.v === valid && p[metric] !== undefined).map((p) => [p.s, p[metric]]);
      if (points.length) lines.push({ name: s.name, colour: s.colour, valid, points: thinned(points, 600), last: points[points.length - 1], first: points[0] });
    }
  }
  if (!lines.length) return null;
  const xs = lines.flatMap((l) => l.points.map((p) => p[0]));
  const ys = lines.flatMap((l) => l.points.map((p) => p[1]));
  const range = (v) => v.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
  let [x0, x1] = range(xs);
  let [y0, y1] = range(ys);
  if (x0 === x1) x1 = x0 + 1;
  if (y0 === y1) [y0, y1] = [y0 - Math.abs(y0 || 1) * 0.1, y1 + Math.abs(y1 || 1) * 0.1];
  const [left, right, top, bottom] = [52, 412, 8, 176];
  const x = (v) => left + (v - x0) / (x1 - x0) * (right - left);
  const y = (v) => bottom - (v - y0) / (y1 - y0) * (bottom - top);
  const words = title + ' by step. ' + lines.map((l) => `${l.name}, ${l.valid ? 'validation' : 'training'}: ${short(l.first[1])} at step ${l.first[0]}, ${short(l.last[1])} at step ${l.last[0]}`).join('; ') + '.';
  const svg = svgElement('svg', { viewBox: '0 0 424 200', role: 'img', 'aria-label': words });
  for (let i = 0; i <= 4; i++) {
    const v = y0 + (y1 - y0) * i / 4;
    svg.append(svgElement('line', { class: 'grid', x1: left, x2: right, y1: y(v), y2: y(v) }), svgElement('text', { x: left - 6, y: y(v) + 4, 'text-anchor': 'end' }, short(v)));
  }
  for (const [v, anchor] of [[x0, 'start'], [Math.round((x0 + x1) / 2), 'middle'], [x1, 'end']]) svg.append(svgElement('text', { x: x(v), y: 194, 'text-anchor': anchor }, String(v)));
  for (const l of lines) {
    svg.append(svgElement('polyline', { class: `line c${l.colour}${l.valid ? ' valid' : ''}`, points: l.points.map((p) => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(' ') }));
    if (l.valid || l.points.length === 1) for (const p of l.points) svg.append(svgElement('circle', { class: `f${l.colour}`, r: 3, cx: x(p[0]).toFixed(1), cy: y(p[1]).toFixed(1) }));
  }
  const figure = document.createElement('figure');
  figure.className = 'card';
  figure.id = 'chart-' + metric;
  const caption = document.createElement('figcaption');
  caption.textContent = title;
  figure.append(caption, svg);
  return figure;
}
