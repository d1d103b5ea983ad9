// The dialogs: a location, a choice from a list, a new customer, trouble.
import { el } from "./chat.js";
import { $, request, toast, world } from "./world.js";

// ask opens a dialog; when submitted, done gets its fields, and what it throws is shown inside.
function ask(id, done) {
  const dialog = $("#" + id);
  const form = $("form", dialog);
  $(".wrong", dialog).textContent = "";
  $(".cancel", dialog).onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await done(form.elements);
      dialog.close();
    } catch (error) {
      $(".wrong", dialog).textContent = error.message;
    }
  };
  dialog.showModal();
  return form.elements;
}

export function askPlace(phone, replyTo) {
  ask("place", (fields) => {
    const [latitude, longitude] = [Number(fields.latitude.value), Number(fields.longitude.value)];
    if (Number.isNaN(latitude + longitude)) throw new Error("Latitude and longitude are numbers.");
    const place = { latitude, longitude, name: fields.name.value, address: fields.address.value };
    return request("POST", `customers/${phone.customer.id}/messages`, { number: phone.number, place, reply_to: replyTo });
  });
}

export function askOption(phone, message) {
  $("#choose-title").textContent = message.menu;
  const box = $("#choose .options");
  box.replaceChildren();
  let section = "";
  for (const [i, option] of message.options.entries()) {
    if (option.section !== section && option.section) box.append(el("h3", {}, option.section));
    section = option.section;
    box.append(el("label", {}, el("input", { type: "radio", name: "option", value: option.id, checked: i === 0 }),
      el("span", {}, option.title, option.description ? el("small", {}, option.description) : "")));
  }
  ask("choose", (fields) => request("POST", `customers/${phone.customer.id}/messages`,
    { number: phone.number, option: fields.option.value, reply_to: message.id }));
}

$("#open-add").addEventListener("click", () => {
  const n = world.customers.size + 1;
  const fields = ask("add", (f) => request("POST", "customers",
    { name: f.name.value, phone: f.hidden.checked ? "" : f.phone.value, username: f.username.value }));
  fields.name.value = `Customer ${n}`;
  fields.phone.value = `+1 202 555 ${String(100 + n).padStart(4, "0")}`;
  fields.username.value = "";
  fields.hidden.checked = fields.phone.disabled = false;
  fields.hidden.onchange = () => {
    fields.phone.disabled = fields.hidden.checked;
    if (fields.hidden.checked && !fields.username.value) fields.username.value = `customer.${n}`;
  };
  fields.name.select();
});

$("#open-trouble").addEventListener("click", () => {
  const fill = (faults) => {
    for (const name of ["send", "window", "media", "webhooks"]) fields[name].value = faults[name] ?? "";
    fields.code.value = faults.code || 131000;
    fields.wait.value = faults.wait || 30;
    fields.times.value = faults.times || "";
    fields.send.onchange();
  };
  const fields = ask("trouble", (f) => request("PUT", "faults", { send: f.send.value, window: f.window.value, media: f.media.value,
    webhooks: f.webhooks.value, code: Number(f.code.value), wait: Number(f.wait.value), times: Number(f.times.value) }));
  fields.send.onchange = () => {
    for (const label of document.querySelectorAll("#trouble [data-for]")) label.hidden = !label.dataset.for.split(" ").includes(fields.send.value);
  };
  $("#trouble .well").onclick = () => {
    fill({});
    $("#trouble form").requestSubmit();
  };
  fill(world.faults);
});

$("#retry").addEventListener("click", () => request("POST", "retry").catch(toast));
