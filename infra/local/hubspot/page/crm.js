// The demo CRM: a list of contacts, and the record of the one that is open. It asks the account every second; an
// unchanged account answers 304.

const $ = (id) => document.getElementById(id);
const every = 1000;
const tags = new Map(); // address → ETag
const drawn = new Map(); // entry id → what it was drawn from
let open = ''; // id of the contact that is open
let record = null;
let attempt = null; // a reply and its idempotency key, until it is accepted

function element(name, properties = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in e) e[key] = value;
    else e.setAttribute(key, value);
  }
  e.append(...children);
  return e;
}

// ask returns the data behind an address, or null as long as it is what it was.
async function ask(address) {
  const tag = tags.get(address);
  const answer = await fetch(address, { headers: tag ? { 'If-None-Match': tag } : {}, cache: 'no-store' });
  if (answer.status === 304) return null;
  if (answer.status === 404) return { missing: true };
  if (!answer.ok) throw new Error(`the CRM answered ${answer.status}`);
  tags.set(address, answer.headers.get('ETag'));
  return answer.json();
}

async function refresh() {
  try {
    const list = await ask('/crm/data/contacts');
    if (list) drawContacts(list.contacts);
    if (open) {
      const asked = open;
      const data = await ask(`/crm/data/contacts/${encodeURIComponent(asked)}`);
      if (data && asked === open) drawRecord(data);
    }
    $('offline').hidden = true;
  } catch {
    $('offline').hidden = false;
  }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const short = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const plain = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

function moment(at, format) {
  const date = new Date(at);
  return element('time', { dateTime: at, title: full.format(date), textContent: format.format(date) });
}

function recent(at) {
  return new Date(at).toDateString() === new Date().toDateString() ? clock : short;
}

// ---- the list

function drawContacts(contacts) {
  $('count').textContent = contacts.length || '';
  $('nobody').hidden = contacts.length > 0;
  const focused = document.activeElement?.dataset?.contact;
  $('contacts').replaceChildren(...contacts.map((c) => {
    const link = element('a', { href: `#/contacts/${c.id}` },
      element('span', { className: 'name', textContent: c.name || 'No name' }),
      c.latest ? moment(c.latest, recent(c.latest)) : '',
      element('span', { className: 'phone', textContent: c.phone || 'no phone number' }),
      element('span', { className: 'number', textContent: c.entries === 1 ? '1 entry' : `${c.entries} entries` }));
    link.dataset.contact = c.id;
    if (c.id === open) link.setAttribute('aria-current', 'page');
    return element('li', {}, link);
  }));
  if (focused) document.querySelector(`[data-contact="${CSS.escape(focused)}"]`)?.focus();
  // With room for both, nobody needs to choose who wrote last.
  if (!location.hash && contacts.length > 0 && matchMedia('(min-width: 701px)').matches) {
    location.replace(`#/contacts/${contacts[0].id}`);
  }
}

// ---- the record

function drawRecord(data) {
  if (data.missing) {
    location.hash = '#/';
    return;
  }
  record = data;
  const name = data.contact.name || 'No name';
  document.title = `${name} · Demo CRM`;
  $('choose').hidden = true;
  $('open').hidden = false;
  $('name').textContent = name;
  $('phone').textContent = data.contact.phone || 'no phone number';
  $('properties').replaceChildren(...data.properties.flatMap((p) => [
    element('dt', { textContent: p.label }),
    element('dd', {}, p.name.endsWith('date') ? moment(p.value, plain) : p.value)]));
  drawTimeline(data.entries);
  drawCommand();
}

// drawTimeline changes what changed and leaves the rest alone: a voice note goes on playing.
function drawTimeline(entries) {
  const list = $('timeline');
  const first = drawn.size === 0;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const wanted = [];
  let day = '';
  for (const e of entries) {
    const date = calendar.format(new Date(e.at));
    if (date !== day) wanted.push({ id: `day ${date}`, text: date, draw: () => element('li', { className: 'day', textContent: date }) });
    day = date;
    wanted.push({ id: e.id, text: JSON.stringify(e), draw: () => drawEntry(e, !first) });
  }
  const keep = new Set(wanted.map((w) => w.id));
  for (const [id, old] of drawn) {
    if (keep.has(id)) continue;
    old.node.remove();
    drawn.delete(id);
  }
  let previous = null;
  for (const w of wanted) {
    let item = drawn.get(w.id);
    if (item?.text !== w.text) {
      const node = w.draw();
      item?.node.replaceWith(node);
      item = { text: w.text, node };
      drawn.set(w.id, item);
    }
    const place = previous ? previous.nextSibling : list.firstChild;
    if (item.node !== place) list.insertBefore(item.node, place);
    previous = item.node;
  }
  $('quiet').hidden = entries.length > 0;
  list.hidden = entries.length === 0;
  if (first || atEnd) toEnd(list);
}

// toEnd scrolls down, and again when the photos have their height.
function toEnd(list) {
  list.scrollTop = list.scrollHeight;
  for (const image of list.querySelectorAll('img')) {
    if (!image.complete) image.addEventListener('load', () => { list.scrollTop = list.scrollHeight; }, { once: true });
  }
}

const allowed = new Set(['P', 'BR', 'STRONG', 'EM', 'B', 'I', 'UL', 'OL', 'LI', 'DIV', 'SPAN']);

// clean copies what an API client wrote without what could act: no attributes, no other elements.
function clean(html) {
  const copy = (from, to) => {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
      else if (node.nodeType === Node.ELEMENT_NODE && allowed.has(node.tagName)) {
        const e = document.createElement(node.tagName);
        copy(node, e);
        to.append(e);
      } else if (node.nodeType === Node.ELEMENT_NODE) to.append(node.outerHTML);
    }
  };
  const body = element('div', { className: 'body' });
  copy(new DOMParser().parseFromString(html, 'text/html').body, body);
  return body;
}

// drawEntry takes the direction from the first words, as a reader would: the API has no property for it.
function drawEntry(e, fresh) {
  const body = clean(e.html);
  const title = body.querySelector('strong');
  const words = title?.textContent ?? '';
  const out = words.startsWith('Sent');
  if (title?.parentElement?.tagName === 'P' && title.parentElement.childNodes.length === 1) title.parentElement.remove();
  const header = element('header', {},
    element('span', { textContent: e.kind === 'notes' ? 'Note' : 'WhatsApp' }),
    element('span', { className: 'way', textContent: `${out ? '↑' : '↓'} ${words}` }),
    moment(e.at, clock));
  const entry = element('li', { className: `entry${out ? ' out' : ''}${fresh ? ' fresh' : ''}` }, header);
  if (body.textContent.trim() !== '') entry.append(body);
  if (e.files.length > 0) entry.append(element('div', { className: 'files' }, ...e.files.map(drawFile)));
  return entry;
}

function drawFile(f) {
  const address = `/crm/data/files/${encodeURIComponent(f.id)}`;
  switch (f.kind) {
    case 'image':
      return element('a', { href: address, target: '_blank', rel: 'noopener' },
        element('img', { src: address, alt: `Photo ${f.name}, ${size(f.size)}`, loading: 'lazy' }));
    case 'audio':
      return element('audio', { src: address, controls: true, preload: 'metadata', title: f.name });
    case 'video':
      return element('video', { src: address, controls: true, preload: 'metadata', title: f.name });
  }
  return element('a', { className: 'file', href: address, download: f.name }, arrow(),
    element('span', { textContent: f.name }), element('span', { className: 'caption', textContent: size(f.size) }));
}

function arrow() {
  const space = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(space, 'svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'path');
  line.setAttribute('d', 'M12 4v11m-5-5 5 5 5-5M5 20h14');
  picture.append(line);
  return picture;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

// ---- the reply

// request is what the CRM's own integration would send: to the number, or to the contact of somebody without one.
function request(text) {
  const phone = record.contact.phone?.replaceAll(/[^+0-9]/g, '');
  return { to: phone ? phone : { contact: record.threadline_id }, text };
}

function drawCommand() {
  const body = JSON.stringify(request($('words').value.trim() || 'Hello'));
  $('curl').textContent = [
    `curl ${location.origin}/api/v1/messages \\`,
    `  -H 'Authorization: Bearer ${record.api_key}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${body.replaceAll("'", "'\\''")}'`].join('\n');
}

function tell(words, bad = false) {
  $('outcome').textContent = words;
  $('outcome').classList.toggle('bad', bad);
}

async function send(event) {
  event.preventDefault();
  const text = $('words').value.trim();
  if (!text || !record) return;
  const body = JSON.stringify(request(text));
  if (attempt?.body !== body) attempt = { body, key: crypto.randomUUID() };
  const to = open;
  $('send').disabled = true;
  tell('Sending…');
  try {
    const answer = await fetch('/api/v1/messages', {
      method: 'POST', body,
      headers: { Authorization: `Bearer ${record.api_key}`, 'Content-Type': 'application/json', 'Idempotency-Key': attempt.key },
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.error?.message || `the API answered ${answer.status}`);
    attempt = null;
    $('words').value = '';
    drawCommand();
    follow(said.id, to, record.api_key);
  } catch (e) {
    tell(`Not sent: ${e.message}. Send again: it can’t go out twice.`, true);
  }
  $('send').disabled = false;
}

// follow shows what becomes of a message for half a minute.
async function follow(id, contact, key) {
  const final = new Set(['read', 'played', 'failed']);
  for (let tries = 0, status = 'queued'; tries < 30 && contact === open && !final.has(status); tries++) {
    tell(`${status[0].toUpperCase()}${status.slice(1)}. It joins the timeline once WhatsApp has it.`, status === 'failed');
    if (tries > 0 && !['queued', 'sending'].includes(status)) tell(`Your message: ${status}.`, status === 'failed');
    await new Promise((done) => setTimeout(done, every));
    const answer = await fetch(`/api/v1/messages/${encodeURIComponent(id)}`, { headers: { Authorization: `Bearer ${key}` } }).catch(() => null);
    if (answer?.ok) status = (await answer.json()).status;
    if (final.has(status)) tell(`Your message: ${status}.`, status === 'failed');
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

// ---- which contact is open

function route() {
  const id = decodeURIComponent(location.hash.match(/^#\/contacts\/(.+)$/)?.[1] ?? '');
  if (location.hash && !location.hash.startsWith('#/')) return; // the skip link
  if (id !== open) {
    drawn.clear();
    $('timeline').replaceChildren();
    $('open').hidden = true;
    $('choose').hidden = false;
    $('words').value = '';
    tell('');
    tags.delete(`/crm/data/contacts/${encodeURIComponent(id)}`);
    tags.delete('/crm/data/contacts'); // for the mark in the list
    record = null;
  }
  open = id;
  $('desk').classList.toggle('reading', id !== '');
  if (!id) document.title = 'Contacts · Demo CRM';
  return refresh();
}

addEventListener('hashchange', async () => {
  await route();
  if (open) $('record').focus({ preventScroll: true });
});
$('reply').addEventListener('submit', send);
$('words').addEventListener('input', () => { if (record) drawCommand(); });
$('words').addEventListener('keydown', (e) => {
  if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    $('reply').requestSubmit();
  }
});
$('copy').addEventListener('click', copy);
if (matchMedia('(max-width: 1000px)').matches) $('about').open = false;

async function watch() {
  if (!document.hidden) await refresh();
  setTimeout(watch, every);
}
await route();
watch();
