'use strict';
const at = (id) => document.getElementById(id);
const metrics = { loss: 'Loss', accuracy: 'Accuracy', margin: 'Margin, chosen − rejected', learning_rate: 'Learning rate', grad_norm: 'Gradient norm before clipping' };
const curves = new Map(); // points by run
const shown = new Map(); // whether a run is drawn, by name
const colours = new Map();
let runs = [];

function element(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}

// looks are the ways into the run's report: whole, and its examples, filtered.
function looks(run) {
  const cell = element('td', undefined, 'looks');
  for (const [text, at] of [['report', ''], ['examples', '#browse'], ['ranked wrong', '#ranked=wrong']]) {
    const a = element('a', text);
    a.href = `report?run=${encodeURIComponent(run.name)}${at}`;
    a.setAttribute('aria-label', `${text}, ${run.name}`);
    cell.append(a);
  }
  return cell;
}

// A row is kept as long as its run is there, so that the focus stays where it is.
function rowOf(run) {
  for (const row of at('runs').children) if (row.dataset.run === run.name) return row;
  const row = element('tr');
  row.dataset.run = run.name;
  const label = element('label');
  const box = element('input');
  box.type = 'checkbox';
  box.checked = shown.get(run.name);
  box.addEventListener('change', () => { shown.set(run.name, box.checked); draw(); });
  label.append(box, element('span', undefined, `swatch f${colours.get(run.name)}`), element('span', run.name));
  const first = element('td');
  first.append(label, element('div', '', 'warn'));
  row.append(first, ...Array.from({ length: 6 }, () => element('td')), looks(run));
  row.children[1].append(element('span'));
  return row;
}

function list() {
  runs.forEach((run, i) => {
    if (!colours.has(run.name)) {
      colours.set(run.name, colours.size % 6);
      shown.set(run.name, i < 6);
    }
  });
  const rows = runs.map((run) => {
    const row = rowOf(run);
    row.querySelector('.warn').textContent = run.warning;
    const state = row.children[1].firstChild;
    state.textContent = run.state;
    state.className = 'state ' + run.state;
    const cells = [run.step, short(run.loss), short(run.validation_accuracy), short(run.pairs_per_second), run.seen.startsWith('0001') ? '–' : new Date(run.seen).toLocaleString()];
    cells.forEach((text, k) => { row.children[k + 2].textContent = text; });
    row.lastChild.querySelectorAll('[href*="#"]').forEach((a) => { a.hidden = !run.examples; });
    if (run.skipped) row.children[2].textContent = `${run.step} (${run.skipped} not finite)`;
    return row;
  });
  const body = at('runs');
  if (rows.length !== body.children.length || rows.some((row, i) => body.children[i] !== row)) body.replaceChildren(...rows);
  at('none').hidden = runs.length > 0;
  const models = runs.filter((r) => r.model).map((r) => r.name);
  const select = at('run');
  if ([...select.options].map((o) => o.value).join('\n') !== models.join('\n')) {
    const was = select.value;
    select.replaceChildren(...models.map((name) => new Option(name, name)));
    if (models.includes(was)) select.value = was;
  }
  at('score').hidden = models.length === 0;
}

function draw() {
  const series = runs.filter((r) => shown.get(r.name)).map((r) => ({ name: r.name, colour: colours.get(r.name), points: curves.get(r.name) || [] }));
  at('charts').replaceChildren(...Object.entries(metrics).map(([key, title]) => chart(key, title, series)).filter(Boolean));
}

const events = new EventSource('events');
events.onmessage = (event) => {
  const news = JSON.parse(event.data);
  at('trouble').hidden = !news.trouble;
  at('trouble').textContent = news.trouble;
  if (!news.runs) return;
  runs = news.runs;
  for (const c of news.curves) curves.set(c.run, c.anew ? c.points : (curves.get(c.run) || []).concat(c.points));
  list();
  draw();
  at('live').textContent = `Live: ${runs.filter((r) => r.state === 'running').length} of ${runs.length} running`;
};
events.onerror = () => { at('live').textContent = 'Not connected: laurel board does not answer; the page tries again'; };

// What is typed is scored when the keys rest; a newer text gives the older up.
let timer = 0;
let asked = null;
function typed() {
  clearTimeout(timer);
  timer = setTimeout(ask, 400);
}

function describe(r) {
  if (r.reward === null) return `No reward: ${r.reason}`;
  return `reward ${r.reward.toFixed(4)}, ${r.tokens} tokens` + (r.cut ? `, ${r.cut} more were cut` : '');
}

async function ask() {
  if (asked) asked.abort();
  const body = { run: at('run').value, prompt: at('prompt').value, a: at('a').value, b: at('b').value };
  for (const id of ['of-a', 'of-b', 'verdict']) at(id).textContent = '';
  if (!body.run || !body.a.trim() || !body.b.trim()) return;
  at('verdict').textContent = 'Scoring…';
  asked = new AbortController();
  try {
    const response = await fetch('score', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal: asked.signal });
    const said = await response.json();
    if (!response.ok) {
      at('verdict').textContent = said.error;
      if (response.status === 429) timer = setTimeout(ask, 1000);
      return;
    }
    at('of-a').textContent = describe(said.a);
    at('of-b').textContent = describe(said.b);
    const cut = said.a.cut || said.b.cut ? ` Longer texts lose tokens on the ${said.side}, beyond ${said.max_length}.` : '';
    at('verdict').textContent = said.margin === null ? 'There is no margin without two rewards.'
      : `Margin A − B ${said.margin.toFixed(4)}: A is the better one with probability ${said.probability.toFixed(3)}.${cut}`;
  } catch (error) {
    if (error.name !== 'AbortError') at('verdict').textContent = 'Not scored: laurel board does not answer.';
  }
}
for (const id of ['prompt', 'a', 'b', 'run']) at(id).addEventListener('input', typed);
