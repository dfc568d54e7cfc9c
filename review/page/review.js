'use strict';
// The page of one annotator. The server decides what comes next, and an answer is
// called saved only when the server says that it is on disk.
const at = (id) => document.getElementById(id);
const annotator = document.body.dataset.annotator;
const words = { left: 'A is better', right: 'B is better', tie: 'Tie', skip: 'Skipped' };
const choices = [...document.querySelectorAll('[data-choice]')];
let view = null; // what the server said last
let busy = false;
const drafts = new Map(); // comments begun and not saved, by comparison

// ask sends a request and gives status and answer; status 0 where nobody answers.
async function ask(path, body) {
  const options = body === undefined ? {} : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  try {
    const response = await fetch(path, options);
    const type = response.headers.get('Content-Type') || '';
    return { status: response.status, said: type.startsWith('application/json') ? await response.json() : { error: await response.text() } };
  } catch {
    return { status: 0, said: { error: 'laurel review does not answer. Start the command again, and open the address that it prints.' } };
  }
}

function turns(into, list) {
  into.replaceChildren(...list.map((turn) => {
    const part = document.createElement('div');
    part.className = 'turn';
    if (turn.role) {
      const role = document.createElement('p');
      role.className = 'role';
      role.textContent = turn.role[0].toUpperCase() + turn.role.slice(1);
      part.append(role);
    }
    const text = document.createElement('p');
    text.className = turn.text.trim() ? 'text' : 'text muted';
    text.dir = 'auto';
    text.textContent = turn.text.trim() ? turn.text : '(empty)';
    part.append(text);
    return part;
  }));
}

function say(text, wrong) {
  at('status').textContent = text;
  at('status').className = wrong ? 'wrong' : '';
}

// notice stands until it is acted on.
function notice(text, action, then) {
  at('notice').hidden = false;
  at('why').textContent = text;
  at('act').textContent = action;
  at('act').onclick = then;
}

function enable() {
  for (const b of choices) b.disabled = busy || !view || !view.item;
  at('undo').disabled = busy || !view || !view.can_undo;
}

function progress() {
  at('bar').value = view.answered;
  at('count').textContent = `${view.answered} of ${view.total} answered` + (view.skipped ? `, ${view.skipped} skipped` : '');
}

function show(next, focus) {
  view = next;
  const item = view.item;
  at('notice').hidden = true;
  at('work').hidden = !item;
  at('done').hidden = !!item;
  progress();
  if (!item) {
    at('all').textContent = `All ${view.total} comparisons are answered. Thank you, ${annotator}.`;
    document.title = 'Done · laurel review';
    enable();
    if (focus) at('all').focus();
    return;
  }
  at('place').textContent = `Comparison ${item.number} of ${view.total}`;
  document.title = `${item.number} of ${view.total} · laurel review`;
  at('before').hidden = !item.did;
  at('before').textContent = { answered: `Answered: ${words[item.choice]}. Another answer takes its place.`, skipped: 'You skipped this before.', taken_back: 'Taken back: answer it anew.' }[item.did] || '';
  at('asked').hidden = item.prompt.length === 0;
  turns(at('prompt'), item.prompt);
  at('tools').hidden = !item.tools;
  at('tools-text').textContent = item.tools;
  turns(at('left'), item.left);
  turns(at('right'), item.right);
  at('same').hidden = !item.same;
  at('note').value = drafts.get(item.item) ?? item.note;
  for (const b of choices) {
    if (item.choice) b.setAttribute('aria-pressed', String(b.dataset.choice === item.choice));
    else b.removeAttribute('aria-pressed');
  }
  enable();
  if (focus) {
    at('place').focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

async function load(focus) {
  const { status, said } = await ask('next?annotator=' + encodeURIComponent(annotator));
  if (status === 200) return show(said, focus);
  notice(said.error, 'Try again', () => load(true));
}

// send posts something, shows what the server answers, and keeps what was to be
// saved where it was not.
async function send(path, body, saved) {
  busy = true;
  enable();
  say('Saving…');
  const { status, said } = await ask(path, body);
  busy = false;
  if (status === 200) {
    if (path === 'answer') drafts.delete(body.item);
    show(said, true);
    return say(saved);
  }
  enable();
  if (status === 409) {
    const note = at('note').value;
    show(said.view, true);
    if (path === 'answer' && note.trim() && note.trim() !== at('note').value.trim()) at('note').value = (at('note').value + '\n' + note).trim();
    const was = said.view.item && said.view.item.choice ? ` (${words[said.view.item.choice]})` : '';
    notice(`Not saved: ${said.error}${path === 'answer' ? was : ''}. Nothing was written over.`, 'Go on with the next', () => load(true));
    return say('Not saved', true);
  }
  notice(`Not saved: ${said.error}`, 'Try again', () => send(path, body, saved));
  say('Not saved', true);
}

function choose(choice) {
  if (busy || !view || !view.item) return;
  const { item, number, version } = view.item;
  send('answer', { annotator, item, version, choice, note: at('note').value }, `Saved: ${words[choice]} (comparison ${number})`);
}

function undo() {
  if (busy || !view || !view.can_undo) return;
  if (view.item && at('note').value !== view.item.note) drafts.set(view.item.item, at('note').value);
  send('undo', { annotator, lines: view.lines }, 'Taken back: answer it anew');
}

for (const b of choices) b.addEventListener('click', () => choose(b.dataset.choice));
at('undo').addEventListener('click', undo);

for (const b of document.querySelectorAll('.principle')) {
  b.addEventListener('click', () => {
    const note = at('note');
    note.value = (note.value.trim() ? note.value.trimEnd() + '\n' : '') + b.dataset.name + ': ';
    note.focus();
  });
}

const keys = { a: () => choose('left'), arrowleft: () => choose('left'), b: () => choose('right'), arrowright: () => choose('right'), t: () => choose('tie'), s: () => choose('skip'), u: undo };

// meant says whether a key is for the page: not for a field, not a shortcut of the
// browser.
function meant(event) {
  return !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && !event.isComposing && at('keys-on').checked && !event.target.closest('input, textarea, select');
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && event.target === at('note')) return at('place').focus();
  const act = keys[event.key.toLowerCase()];
  if (!act || !meant(event)) return;
  event.preventDefault();
  act();
});

// The field is entered as the key is let go, so that the letter does not fall into it.
document.addEventListener('keyup', (event) => {
  if (event.key.toLowerCase() === 'c' && meant(event) && view && view.item) at('note').focus();
});

// A page that is looked at again goes on where another one has come to.
document.addEventListener('visibilitychange', async () => {
  if (document.hidden || busy || !view || !at('notice').hidden || at('note').value !== (view.item ? view.item.note : '')) return;
  const { status, said } = await ask('next?annotator=' + encodeURIComponent(annotator));
  if (status === 200 && !busy && said.lines !== view.lines) show(said, false);
});

load(false);
