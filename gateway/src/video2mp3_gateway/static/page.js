"use strict";

const REFRESH_MILLISECONDS = 3000;
const PAGE = 20;
const byId = (id) => document.getElementById(id);
const wantedFile = new URLSearchParams(location.search).get("fid");
let token = sessionStorage.getItem("token");
let shown = PAGE;
let timer = 0;

const say = (text) => { byId("message").textContent = text; };

/** Ask the gateway. Rejects with a sentence for people. */
async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}), ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (!answer.ok) {
    if (answer.status === 401 && token) logOut();
    throw new Error(await complaint(answer));
  }
  return answer;
}

async function complaint(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return `The server answered with ${answer.status}.`;
  }
}

function show() {
  byId("login").hidden = Boolean(token);
  byId("signed-in").hidden = !token;
  clearTimeout(timer);
  if (token) refresh();
}

async function logIn(event) {
  event.preventDefault();
  const bytes = new TextEncoder().encode(`${byId("email").value}:${byId("password").value}`);
  const basic = btoa(String.fromCharCode(...bytes));
  try {
    const answer = await ask("login", { method: "POST", headers: { Accept: "*/*", Authorization: `Basic ${basic}` } });
    token = await answer.text();
  } catch (error) {
    say(error.message);
    return;
  }
  sessionStorage.setItem("token", token);
  byId("password").value = "";
  say("");
  show();
  if (wantedFile) download(`download?fid=${encodeURIComponent(wantedFile)}`, "audio.mp3");
}

function logOut() {
  token = null;
  sessionStorage.removeItem("token");
  byId("conversions").replaceChildren();
  show();
}

function upload(event) {
  event.preventDefault();
  const form = new FormData();
  form.append("file", byId("file").files[0]);
  const bar = byId("progress");
  const button = event.target.querySelector("button");
  const request = new XMLHttpRequest();
  const end = (text) => { bar.hidden = true; button.disabled = false; say(text); refresh(); };
  request.open("POST", "upload");
  request.setRequestHeader("Authorization", `Bearer ${token}`);
  request.upload.onprogress = (sent) => { if (sent.lengthComputable) bar.value = (100 * sent.loaded) / sent.total; };
  request.onerror = () => end("The upload broke off. Nothing was stored; try again.");
  request.onload = () => {
    if (request.status === 202) byId("file").value = "";
    if (request.status === 401) logOut();
    end(request.status === 202 ? "Uploaded. You get an email when it is done." : detailOf(request));
  };
  bar.value = 0;
  bar.hidden = false;
  button.disabled = true;
  say("Uploading …");
  request.send(form);
}

function detailOf(request) {
  try {
    return JSON.parse(request.responseText).detail;
  } catch {
    return `The server answered with ${request.status}.`;
  }
}

async function refresh() {
  clearTimeout(timer);
  if (!token) return;
  try {
    const list = await (await ask(`conversions?limit=${shown}`)).json();
    byId("conversions").replaceChildren(...list.conversions.map(row));
    byId("none").hidden = list.conversions.length > 0;
    byId("more").hidden = !list.continue || shown >= 100;
  } catch (error) {
    say(error.message);
  }
  if (token) timer = setTimeout(refresh, REFRESH_MILLISECONDS);
}

function row(conversion) {
  const line = document.createElement("tr");
  const cell = (content) => { const made = document.createElement("td"); made.append(...content); line.append(made); };
  cell([conversion.filename]);
  cell([state(conversion)]);
  cell([new Date(conversion.createdAt).toLocaleString()]);
  const actions = [action("Delete", conversion, () => remove(conversion))];
  if (conversion.output) {
    actions.unshift(action("Download", conversion, () => download(conversion.output.downloadUrl, conversion.filename)));
  }
  cell(actions);
  return line;
}

function state(conversion) {
  if (conversion.phase === "Running" && conversion.progress) return `Running, ${conversion.progress.percent} %`;
  if (conversion.phase === "Queued" && conversion.queuePosition) return `Queued, number ${conversion.queuePosition}`;
  if (conversion.phase === "Failed") return `Failed: ${conversion.message}`;
  return conversion.phase;
}

function action(name, conversion, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.setAttribute("aria-label", `${name} ${conversion.filename}`);
  button.addEventListener("click", act);
  return button;
}

async function remove(conversion) {
  if (!confirm(`Delete ${conversion.filename} and its files?`)) return;
  try {
    await ask(`conversions/${encodeURIComponent(conversion.name)}`, { method: "DELETE" });
    say("");
  } catch (error) {
    say(error.message);
  }
  refresh();
}

async function download(address, filename) {
  say("Downloading …");
  try {
    // Only the path: links start with the public address, and this page may ask nobody but its own server.
    const here = new URL(address, location.href);
    const answer = await ask(here.pathname.split("/").pop() + here.search, { headers: { Accept: "audio/mpeg" } });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = nameIn(answer.headers.get("Content-Disposition")) || filename;
    link.click();
    URL.revokeObjectURL(link.href);
    say("");
  } catch (error) {
    say(error.message);
  }
}

function nameIn(disposition) {
  const found = /filename\*=UTF-8''([^;]+)/.exec(disposition || "");
  return found && decodeURIComponent(found[1]);
}

byId("login").addEventListener("submit", logIn);
byId("upload").addEventListener("submit", upload);
byId("logout").addEventListener("click", () => { say(""); logOut(); });
byId("more").addEventListener("click", () => { shown = Math.min(100, shown + PAGE); refresh(); });
if (wantedFile) say(token ? "" : "Log in to download your mp3.");
show();
if (wantedFile && token) download(`download?fid=${encodeURIComponent(wantedFile)}`, "audio.mp3");
