// The demo CRM: a list of contacts, and the record of the one that is open. It asks the CRM every second; one that hasn't
// changed answers 304.

import { drawTimeline, forgetTimeline } from './timeline.js';
import { $, element, moment, clock, plain, short, tell } from './draw.js';
import { drawCommand, emptyReply, showReply } from './reply.js';

const every = 1000;
const tags = new Map(); // address → ETag
let open = ''; // id of the contact that is open

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

const address = (id) => `/crm/data/contacts/${encodeURIComponent(id)}`;

async function refresh() {
  try {
    const list = await ask('/crm/data/contacts');
    if (list) drawList(list);
    if (open) {
      const asked = open;
      const data = await ask(address(asked));
      if (data && asked === open) drawRecord(data);
    }
    $('offline').hidden = true;
  } catch {
    $('offline').hidden = false;
  }
}

// ---- the list

function recent(at) {
  return new Date(at).toDateString() === new Date().toDateString() ? clock : short;
}

// A contact without entries has the zero time.
const spoken = (contact) => !contact.latest.startsWith('0001-');

function drawList({ title, contacts }) {
  $('about-crm').textContent = `${title[0].toUpperCase()}${title.slice(1)}. What stands here came in through its API.`;
  $('count').textContent = contacts.length || '';
  $('nobody').hidden = contacts.length > 0;
  const focused = document.activeElement?.dataset?.contact;
  $('contacts').replaceChildren(...contacts.map((c) => {
    const link = element('a', { href: `#/contacts/${encodeURIComponent(c.id)}` },
      element('span', { className: 'name', textContent: c.name || 'No name' }),
      spoken(c) ? moment(c.latest, recent(c.latest)) : '',
      element('span', { className: 'phone', textContent: c.phone || 'no phone number' }),
      element('span', { className: 'number', textContent: c.entries === 1 ? '1 entry' : `${c.entries} entries` }));
    link.dataset.contact = c.id;
    if (c.id === open) link.setAttribute('aria-current', 'page');
    return element('li', {}, link);
  }));
  if (focused) document.querySelector(`[data-contact="${CSS.escape(focused)}"]`)?.focus();
  // With room for both, nobody needs to choose who wrote last.
  if (!location.hash && contacts.length > 0 && matchMedia('(min-width: 701px)').matches) {
    location.replace(`#/contacts/${encodeURIComponent(contacts[0].id)}`);
  }
}

// ---- the record

const aTime = /^\d{4}-\d\d-\d\dT/;

function drawRecord(data) {
  if (data.missing) {
    location.hash = '#/';
    return;
  }
  const name = data.contact.name || 'No name';
  document.title = `${name} · Demo CRM`;
  $('choose').hidden = true;
  $('open').hidden = false;
  $('name').textContent = name;
  $('phone').textContent = data.contact.phone || 'no phone number';
  $('side').hidden = data.properties.length === 0;
  $('columns').classList.toggle('bare', data.properties.length === 0);
  $('properties').replaceChildren(...data.properties.flatMap((p) => [
    element('dt', { textContent: p.label }),
    element('dd', {}, aTime.test(p.value) ? moment(p.value, plain) : p.value)]));
  drawTimeline(data.entries);
  showReply(data);
  drawCommand();
}

// ---- which contact is open

function route() {
  if (location.hash && !location.hash.startsWith('#/')) return; // the skip link
  const id = decodeURIComponent(location.hash.match(/^#\/contacts\/(.+)$/)?.[1] ?? '');
  if (id !== open) {
    forgetTimeline();
    $('open').hidden = true;
    $('choose').hidden = false;
    emptyReply();
    tell('');
    tags.delete(address(id));
    tags.delete('/crm/data/contacts'); // for the mark in the list
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
if (matchMedia('(max-width: 1000px)').matches) $('about').open = false;

async function watch() {
  if (!document.hidden) await refresh();
  setTimeout(watch, every);
}
await route();
watch();
