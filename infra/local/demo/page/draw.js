// What all parts of the page draw with.

export const $ = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in e) e[key] = value;
    else e.setAttribute(key, value);
  }
  e.append(...children);
  return e;
}

const format = (options) => new Intl.DateTimeFormat(undefined, options);
export const clock = format({ hour: '2-digit', minute: '2-digit' });
export const calendar = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
export const short = format({ day: 'numeric', month: 'short' });
export const plain = format({ dateStyle: 'medium', timeStyle: 'short' });
const full = format({ dateStyle: 'full', timeStyle: 'long' });

export function moment(at, as) {
  const date = new Date(at);
  return element('time', { dateTime: at, title: full.format(date), textContent: as.format(date) });
}

// data is the address of something in the CRM that the page shows: ?crm= says which.
export const data = (path) => `/crm/data/${path}${location.search}`;

// tell tells what became of what somebody did.
export function tell(words, bad = false) {
  $('outcome').textContent = words;
  $('outcome').classList.toggle('bad', bad);
}
