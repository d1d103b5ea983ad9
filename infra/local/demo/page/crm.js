// The demo CRM: a list of contacts, and the record of the one that is open. It asks the CRM every second; one that hasn't
// changed answers 304.

import { drawTimeline, forgetTimeline } from './timeline.js';
import { $, element, moment, clock, data, plain, short, tell } from './draw.js';
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

const all = data('contacts');
const address = (id) => data(`contacts/${encodeURIComponent(id)}`);

async function refresh() {
  try {
    const list = await ask(all);
    if (list) drawList(list);
    if (open) {
      const asked = open;
      const record = await ask(address(asked));
      if (record && asked === open) drawRecord(record);
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

// drawSwitch lets people go from one CRM to the other, if there are several.
function drawSwitch(crms, shown) {
  if (crms.length < 2 || !$('crms').hidden) return;
  $('crms').hidden = false;
  $('crms').append(...crms.map((c) => {
    const link = element('a', { href: `/crm/?crm=${encodeURIComponent(c.name)}`, textContent: c.title });
    if (c.name === shown) link.setAttribute('aria-current', 'page');
    return link;
  }));
}

function drawList({ title, contacts, crm, crms }) {
  drawSwitch(crms, crm);
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

function drawRecord(record) {
  if (record.missing) {
    location.hash = '#/';
    return;
  }
  const name = record.contact.name || 'No name';
  document.title = `${name} · Demo CRM`;
  $('choose').hidden = true;
  $('open').hidden = false;
  $('name').textContent = name;
  $('phone').textContent = record.contact.phone || 'no phone number';
  $('side').hidden = record.properties.length === 0;
  $('columns').classList.toggle('bare', record.properties.length === 0);
  $('properties').replaceChildren(...record.properties.flatMap((p) => [
    element('dt', { textContent: p.label }),
    element('dd', {}, aTime.test(p.value) ? moment(p.value, plain) : p.value)]));
  drawTimeline(record.entries);
  showReply(record);
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
    tags.delete(all); // for the mark in the list
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

// Where there is no column for it, what is known of the contact stays folded until somebody wants it.
const narrow = matchMedia('(max-width: 1000px)');
const fold = () => { $('about').open = !narrow.matches; };
narrow.addEventListener('change', fold);
fold();

async function watch() {
  if (!document.hidden) await refresh();
  setTimeout(watch, every);
}
await route();
watch();
