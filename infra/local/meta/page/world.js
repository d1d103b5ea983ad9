// What the page knows and how it talks to the simulated Meta.

export const $ = (selector, root = document) => root.querySelector(selector);
export const world = { business: "", numbers: [], customers: new Map(), groups: new Map(), messages: new Map(), faults: {}, company: {} };

// chatOf is where a message is: the id of a group or a customer.
export const chatOf = (message) => message.group || message.customer;

export async function request(method, path, body, headers = { "Content-Type": "application/json" }) {
  let answer;
  try {
    answer = await fetch("api/" + path, { method, headers, body: body instanceof Blob ? body : JSON.stringify(body ?? {}) });
  } catch {
    throw new Error("The simulated Meta does not answer. Is it still running?");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { error } = await answer.json().catch(() => ({}));
  throw new Error(error ? error[0].toUpperCase() + error.slice(1) + "." : `The simulated Meta answers ${answer.status}.`);
}

let toastTimer;
export function toast(news) {
  $("#toast").textContent = news.message ?? news;
  ($("dialog[open]") ?? document.body).append($("#toast")); // a dialog lies above everything else
  $("#toast").classList.toggle("good", !(news instanceof Error));
  $("#toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => ($("#toast").hidden = true), 6000);
}

// phoneNumber writes digits the way people read them.
export function phoneNumber(digits) {
  return "+" + digits.replace(/^1(\d{3})(\d{3})(\d{4})$/, "1 $1 $2 $3");
}

export function details(customer) {
  const parts = [customer.phone && phoneNumber(customer.phone), customer.username && "@" + customer.username].filter(Boolean);
  const rest = [customer.hidden || !customer.phone ? "number hidden" : "", customer.stopped ? "no marketing" : ""].filter(Boolean);
  return [...(parts.length ? parts : ["no phone number"]), ...rest].join(" · ");
}

const hues = ["#3f6fa3", "#8a4f9e", "#2f7d5b", "#a3553f", "#5a6472", "#8a6d1d"];

export function avatar(node, customer) {
  node.textContent = customer.name.match(/\d+$/)?.[0].slice(-2) ?? customer.name.slice(0, 1).toUpperCase();
  node.style.setProperty("--hue", hues[Number(customer.id.slice(1)) % hues.length]);
}
