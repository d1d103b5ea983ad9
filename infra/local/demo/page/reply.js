// The reply box: through Threadline's REST API, as an integration of the CRM's would, or as the CRM's own user does.

import { $, data, tell } from './draw.js';

const every = 1000;
let record = null; // what is known of the contact that is open
let turn = 0; // counts what was sent, so that the line below the box is about the last of it
let attempt = null; // a reply and its idempotency key, until it is accepted
let before = null; // the entries when the CRM's user wrote, and what had failed, until something new does

export function showReply(now) {
  record = now;
  $('as-user').hidden = !now.how;
  $('how').textContent = now.how ?? '';
  $('send').disabled = recipient() === null;
  $('nobody-known').hidden = recipient() !== null;
  if (!before) return;
  const news = failures().filter((e) => !before.failed.has(e.id)).at(-1);
  if (news) {
    before = null;
    tell(news.problem, true);
  } else if (!before.shown && record.entries.some((e) => e.from === 'company' && !before.all.has(e.id))) {
    before.shown = true; // the timeline says the rest
    tell('');
  }
}

export function emptyReply() {
  record = null;
  before = null;
  $('words').value = '';
}

// failures are the entries that say that something wasn't sent, or may not have been.
const failures = () => record.entries.filter((e) => e.problem);

// recipient is whom the API is asked to send to: a whole number, the contact, or a number as it stands on the record.
function recipient() {
  const phone = record.contact.phone?.replaceAll(/[^+0-9]/g, '');
  if (phone?.startsWith('+') || (phone && !record.key)) return phone;
  return record.key ? { contact: record.key } : null;
}

const request = (text) => ({ to: recipient(), text });

export function drawCommand() {
  const body = JSON.stringify(request($('words').value.trim() || 'Hello'));
  $('curl').textContent = [
    `curl ${location.origin}/api/v1/messages \\`,
    `  -H 'Authorization: Bearer ${record.api_key}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${body.replaceAll("'", "'\\''")}'`].join('\n');
}

async function send(event) {
  event.preventDefault();
  const text = $('words').value.trim();
  if (!text || !record || recipient() === null) return;
  const body = JSON.stringify(request(text));
  if (attempt?.body !== body) attempt = { body, key: crypto.randomUUID() };
  const { contact, api_key: key } = record;
  await busy(async () => {
    const answer = await fetch('/api/v1/messages', {
      method: 'POST', body,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', 'Idempotency-Key': attempt.key },
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.error?.message || `the API answered ${answer.status}`);
    attempt = null;
    if (record?.contact.id === contact.id) $('words').value = '';
    follow(said.id, contact.id, key);
  }, 'Send again: it can’t go out twice.');
}

async function write() {
  const text = $('words').value.trim();
  if (!text || !record) {
    $('reply').reportValidity();
    return;
  }
  const { contact } = record;
  await busy(async () => {
    const ids = (list) => new Set(list.map((e) => e.id));
    before = { all: ids(record.entries), failed: ids(failures()), shown: false };
    const answer = await fetch(data(`contacts/${encodeURIComponent(contact.id)}/write`), {
      method: 'POST', body: JSON.stringify({ text }), headers: { 'Content-Type': 'application/json' },
    });
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({}));
      throw new Error(said.error || `the CRM answered ${answer.status}`);
    }
    if (record?.contact.id === contact.id) $('words').value = '';
    if (before && !before.shown) tell('Written in the CRM. Threadline sends it when the CRM tells it.');
  }, '');
}

// busy does something that may fail, once at a time.
async function busy(work, hint) {
  turn++;
  before = null;
  $('send').disabled = $('write').disabled = true;
  tell('Sending…');
  try {
    await work();
  } catch (e) {
    tell(`Not sent: ${e.message}. ${hint}`, true);
  }
  $('send').disabled = record === null || recipient() === null;
  $('write').disabled = false;
  if (record) drawCommand();
}

// follow shows what becomes of a message for half a minute, or until another one is sent.
async function follow(id, contact, key) {
  const mine = turn;
  const final = new Set(['read', 'played', 'failed']);
  let message = { status: 'queued' };
  for (let tries = 0; tries < 30 && mine === turn && contact === record?.contact.id; tries++) {
    const { status, error } = message;
    if (['queued', 'sending'].includes(status)) tell(`${status[0].toUpperCase()}${status.slice(1)}. It joins the timeline once WhatsApp has it.`);
    else tell(`Your message: ${status}${error?.reason ? `, ${error.reason}` : ''}.`, status === 'failed');
    if (final.has(status)) return;
    await new Promise((done) => setTimeout(done, every));
    const answer = await fetch(`/api/v1/messages/${encodeURIComponent(id)}`, { headers: { Authorization: `Bearer ${key}` } }).catch(() => null);
    if (answer?.ok) message = await answer.json();
  }
}

async function copy() {
  try {
    await navigator.clipboard.writeText($('curl').textContent);
    tell('Copied.');
  } catch {
    getSelection().selectAllChildren($('curl'));
    tell('Selected: copy it with the keyboard.');
  }
}

$('reply').addEventListener('submit', send);
$('write').addEventListener('click', write);
$('words').addEventListener('input', () => { if (record) drawCommand(); });
$('words').addEventListener('keydown', (e) => {
  if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    if (!$('send').disabled) $('reply').requestSubmit();
  }
});
$('copy').addEventListener('click', copy);
