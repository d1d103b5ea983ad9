// A contact's timeline. What an API client wrote is copied without what could act.

import { $, element, moment, clock, calendar, data } from './draw.js';

const drawn = new Map(); // entry id → what it was drawn from

export function forgetTimeline() {
  drawn.clear();
  $('timeline').replaceChildren();
}

// drawTimeline changes what changed and leaves the rest alone: a voice note goes on playing.
export function drawTimeline(entries) {
  const list = $('timeline');
  const first = drawn.size === 0;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const wanted = [];
  let day = '';
  for (const e of entries) {
    const date = calendar.format(new Date(e.at));
    if (date !== day) wanted.push({ id: `day ${date}`, text: date, draw: () => element('li', { className: 'day', textContent: date }) });
    day = date;
    wanted.push({ id: `entry ${e.id}`, text: JSON.stringify(e), draw: () => drawEntry(e, !first) });
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

const allowed = new Set(['P', 'BR', 'STRONG', 'EM', 'B', 'I', 'U', 'S', 'UL', 'OL', 'LI', 'DIV', 'SPAN', 'CODE', 'PRE', 'BLOCKQUOTE',
  'H1', 'H2', 'H3', 'H4', 'A']);

// clean copies HTML without attributes, but for a link's address, and without other elements: those are shown as they are
// written.
function clean(html) {
  const copy = (from, to) => {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
      else if (node.nodeType === Node.ELEMENT_NODE && allowed.has(node.tagName)) {
        const e = document.createElement(node.tagName);
        if (node.tagName === 'A' && /^https?:\/\//i.test(node.getAttribute('href') ?? '')) {
          Object.assign(e, { href: node.getAttribute('href'), target: '_blank', rel: 'noopener noreferrer' });
        }
        copy(node, e);
        to.append(e);
      } else if (node.nodeType === Node.ELEMENT_NODE) to.append(node.outerHTML);
    }
  };
  const body = element('div', { className: 'body' });
  copy(new DOMParser().parseFromString(html, 'text/html').body, body);
  return body;
}

const sides = {
  customer: { arrow: '↓', words: 'From the customer', style: '' },
  company: { arrow: '↑', words: 'From the company', style: ' out' },
  both: { arrow: '↕', words: 'From both', style: '' },
};

// drawEntry says what an entry is in the CRM's words, who wrote it, and how far it came.
function drawEntry(e, fresh) {
  const body = clean(e.html);
  const side = sides[e.from];
  const header = element('header', {}, element('span', { textContent: e.kind }));
  if (e.heading) lift(e.heading, body);
  if (side) {
    header.append(element('span', { className: 'way' },
      element('span', { ariaHidden: 'true', textContent: `${side.arrow} ` }), e.heading || side.words));
  }
  const end = element('span', { className: 'end' });
  if (e.status) end.append(element('span', { className: `status${e.problem ? ' bad' : ''}`, textContent: e.status }));
  end.append(moment(e.at, clock));
  header.append(end);
  const entry = element('li', { className: `entry${side?.style ?? ' note'}${e.problem ? ' bad' : ''}${fresh ? ' fresh' : ''}` }, header);
  if (body.textContent.trim() !== '') entry.append(body);
  if (e.problem && !body.textContent.includes(e.problem)) entry.append(element('p', { className: 'problem', textContent: e.problem }));
  if (e.files.length > 0) entry.append(element('div', { className: 'files' }, ...e.files.map(drawFile)));
  return entry;
}

// lift takes a heading out of the body, be it bold or the first line, with the paragraph that holds nothing else, or the
// line break behind it.
function lift(heading, body) {
  const is = (node) => node?.textContent.trim() === heading.trim();
  const first = body.firstElementChild?.firstChild;
  const title = [...body.querySelectorAll('strong')].find(is) ?? (is(first) ? first : null);
  if (!title) return;
  const paragraph = title.parentElement;
  if (paragraph !== body && is(paragraph)) paragraph.remove();
  else {
    if (title.nextSibling?.nodeName === 'BR') title.nextSibling.remove();
    title.remove();
  }
}

function drawFile(f) {
  const address = data(`files/${encodeURIComponent(f.id)}`);
  switch (f.show) {
    case 'image':
      return element('a', { href: address, target: '_blank', rel: 'noopener' },
        element('img', { src: address, alt: `Photo ${f.name}, ${size(f.size)}`, loading: 'lazy' }));
    case 'audio':
      return element('audio', { src: address, controls: true, preload: 'metadata', title: f.name });
    case 'video':
      return element('video', { src: address, controls: true, preload: 'metadata', title: f.name });
  }
  const how = f.show === 'page' ? { target: '_blank', rel: 'noopener' } : { download: f.name };
  return element('a', { className: 'file', href: address, ...how }, icon(f.show === 'page'),
    element('span', { textContent: f.name }), element('span', { className: 'caption', textContent: size(f.size) }));
}

// icon is a sheet for what opens, and an arrow for what is downloaded.
function icon(opens) {
  const space = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(space, 'svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'path');
  line.setAttribute('d', opens ? 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6' : 'M12 4v11m-5-5 5 5 5-5M5 20h14');
  picture.append(line);
  return picture;
}

function size(bytes) {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
