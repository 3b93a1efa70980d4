"use strict";

const PAGE = 20;
const MOST_AT_ONCE = 100; // The gateway gives no more in one answer.
const SOON = 2000; // Milliseconds until the next look while something is under way, or after one that failed,
const LATER = 15000; // and otherwise.
const STEP = 10; // Percent; read out one by one, a large file's progress would never let anything else be heard.
const AWAITED = 30000; // For so long what was asked to be tried again is looked at as often as what is under way.
const SETTLED = ["Succeeded", "Failed", "Suspended"];
const EXPIRED = "Your login has expired. Log in again.";

const byId = (id) => document.getElementById(id);
const rows = new Map(); // Name of a conversion → its item in the list, and the state it shows.
let token = sessionStorage.getItem("token");
let wantedFile = new URLSearchParams(location.search).get("fid"); // Emails link to /?fid=FILE_ID.
let shown = PAGE;
let timer = 0;
let look = 0; // The number of the last look at the list; an answer to an earlier one is out of date.
let lookFailed = false;
let uploading = null;

/** Tell people, by eye and by ear. */
function say(text, wrong = false) {
  const message = byId("message");
  message.classList.toggle("wrong", wrong);
  if (message.textContent !== text) message.textContent = text;
}

const complain = (error) => say(error.message, true);

/** Ask the gateway. Rejects with a sentence for people. */
async function ask(path, options = {}) {
  const asker = token;
  const headers = { Accept: "application/json", ...(asker && { Authorization: `Bearer ${asker}` }), ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch {
    throw new Error("The server cannot be reached. Try again in a moment.");
  }
  if (answer.status === 401 && asker) {
    if (asker === token) leave();
    throw new Error(EXPIRED);
  }
  if (!answer.ok) throw new Error(detailOf(answer.status, await answer.text()));
  return answer;
}

function detailOf(status, body) {
  try {
    const { code, detail, maxBytes } = JSON.parse(body);
    return code === "too-large" ? `The file is too large: it may have ${size(maxBytes)} at most.` : detail;
  } catch {
    return `The server answered with ${status}. Try again in a moment.`;
  }
}

function show() {
  byId("login").hidden = Boolean(token);
  byId("account").hidden = byId("logout").hidden = !token;
  if (!token) {
    if (wantedFile) say("Log in to download your mp3.");
    byId(byId("email").value ? "password" : "email").focus();
    return;
  }
  refresh();
  showClasses();
  if (wantedFile) downloadWanted();
}

async function logIn(event) {
  event.preventDefault();
  const bytes = new TextEncoder().encode(`${byId("email").value}:${byId("password").value}`);
  const Authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  say("Logging in …");
  try {
    token = await (await ask("login", { method: "POST", headers: { Accept: "*/*", Authorization } })).text();
  } catch (error) {
    complain(error);
    byId("password").select();
    return;
  }
  sessionStorage.setItem("token", token);
  byId("password").value = "";
  say("");
  show();
  byId("file").focus();
}

/** Forget the account and all that was shown of it. */
function leave() {
  token = null;
  look += 1;
  shown = PAGE;
  clearTimeout(timer);
  sessionStorage.removeItem("token");
  rows.clear();
  byId("conversions").replaceChildren();
  show();
}

function logOut() {
  uploading?.abort();
  byId("login").reset();
  leave();
  say("You are logged out.");
}

// --- uploads ---

/** Let people choose where there is a choice; without one nothing is asked for. */
async function showClasses() {
  let classes = [];
  try {
    ({ classes } = await (await ask("classes")).json());
  } catch {
    // The list, which is asked for beside it, says what is wrong.
  }
  const options = classes.map(({ name, description, default: usual }) => {
    return new Option(description ? `${name} · ${description}` : name, name, usual, usual);
  });
  if (!classes.some((each) => each.default)) options.unshift(new Option("As usual", ""));
  byId("class").replaceChildren(...options);
  byId("classes").hidden = classes.length < 2;
}

function uploadPath() {
  const chosen = byId("classes").hidden ? "" : byId("class").value;
  return chosen ? `upload?${new URLSearchParams({ class: chosen })}` : "upload";
}

function upload(event) {
  event.preventDefault();
  const [file] = byId("file").files;
  const form = new FormData();
  form.append("file", file);
  const request = (uploading = new XMLHttpRequest()); // fetch() does not tell how much it has sent.
  request.open("POST", uploadPath());
  request.setRequestHeader("Authorization", `Bearer ${token}`);
  request.upload.onprogress = (sent) => {
    byId("sent").value = (100 * sent.loaded) / sent.total;
    say(under(`Uploading ${file.name}`, sent.loaded, sent.total));
  };
  request.onload = () => uploaded(request);
  request.onerror = () => say("The upload broke off. Nothing was stored; try again.", true);
  request.onabort = () => say("The upload is cancelled. Nothing was stored.");
  request.onloadend = () => showUpload(false);
  byId("sent").value = 0;
  showUpload(true);
  say(`Uploading ${file.name} …`);
  request.send(form);
}

function uploaded(request) {
  if (request.status === 202) {
    byId("file").value = "";
    say(`Uploaded. An email will say when the mp3 is ready.${kept(JSON.parse(request.responseText))}`);
  } else {
    if (request.status === 401) leave();
    if (request.status === 422) showClasses(); // There may be others by now.
    say(request.status === 401 ? EXPIRED : detailOf(request.status, request.responseText), true);
  }
  refresh();
}

/** For how long the mp3 will be there, as a further sentence. */
function kept({ ttlSecondsAfterFinished: seconds }) {
  if (seconds == null) return ""; // Or unknown: a gateway of another version answered.
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, each]) => seconds >= each) ?? ["second", 1];
  const words = new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 1 });
  return ` It is kept for ${words.format(seconds / length)}.`;
}

function showUpload(running) {
  if (!running) uploading = null;
  byId("sending").hidden = byId("cancel").hidden = !running;
  byId("file").disabled = byId("class").disabled = byId("send").hidden = running;
  if (token) byId(running ? "cancel" : "file").focus();
}

function under(text, done, total) {
  return total ? `${text} … ${STEP * Math.floor((100 * done) / total / STEP)} %` : `${text} …`;
}

// --- the list ---

async function refresh() {
  clearTimeout(timer);
  if (!token || document.hidden) return;
  const mine = (look += 1);
  try {
    const { conversions, more } = await list();
    if (mine !== look) return;
    if (lookFailed) say("");
    lookFailed = false;
    showList(conversions);
    byId("more").hidden = !more;
  } catch (error) {
    if (mine === look || !token) complain(error);
    lookFailed = Boolean(token);
  }
  const busy = [...rows.values()].some((row) => !SETTLED.includes(row.state) || Date.now() < row.awaitedUntil);
  if (token && mine === look) timer = setTimeout(refresh, busy || lookFailed ? SOON : LATER);
}

async function list() {
  const conversions = [];
  let position = "";
  do {
    const limit = Math.min(MOST_AT_ONCE, shown - conversions.length);
    const page = await (await ask(`conversions?${new URLSearchParams({ limit, continue: position })}`)).json();
    conversions.push(...page.conversions);
    position = page.continue;
  } while (position && conversions.length < shown);
  return { conversions, more: Boolean(position) };
}

/** Change what has changed and no more, so that whoever has come to a button by keyboard stays on it. */
function showList(conversions) {
  const there = new Set(conversions.map((conversion) => conversion.name));
  for (const [name, row] of rows) {
    if (there.has(name)) continue;
    row.item.remove();
    rows.delete(name);
  }
  const items = byId("conversions").children;
  conversions.forEach((conversion, index) => {
    const row = rows.get(conversion.name) || newRow(conversion);
    if (items[index] !== row.item) byId("conversions").insertBefore(row.item, items[index] || null);
    showRow(row, conversion);
  });
  byId("none").hidden = conversions.length > 0;
}

function newRow(conversion) {
  const item = byId("conversion").content.firstElementChild.cloneNode(true);
  const row = { item, state: null, conversion, awaitedUntil: 0 };
  const part = (selector) => item.querySelector(selector);
  part("h3").textContent = conversion.filename;
  showTime(part(".created"), conversion.createdAt);
  part("progress").setAttribute("aria-label", `Progress of ${conversion.filename}`);
  for (const [name, act] of [["download", downloadOf], ["retry", retry], ["delete", remove]]) {
    const button = part(`.${name}`);
    button.setAttribute("aria-label", `${button.textContent} ${conversion.filename}`);
    button.addEventListener("click", () => act(row.conversion));
  }
  rows.set(conversion.name, row);
  return row;
}

function showTime(element, moment) {
  element.dateTime = moment;
  element.textContent = new Date(moment).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function showRow(row, conversion) {
  const state = conversion.reason === "Deleting" ? "Deleting" : conversion.phase;
  const part = (selector) => row.item.querySelector(selector);
  part(".phase").textContent = state;
  part(".phase").dataset.phase = state;
  part(".detail").textContent = detail(state, conversion);
  part(".kept").hidden = state === "Deleting" || !conversion.expiresAt;
  if (conversion.expiresAt) showTime(part(".kept time"), conversion.expiresAt);
  part("progress").hidden = state !== "Running";
  part("progress").value = conversion.progress?.percent ?? 0;
  part(".download").hidden = state === "Deleting" || !conversion.output;
  if (state !== "Failed" && document.activeElement === part(".retry")) byId("title").focus(); // That button goes.
  part(".retry").hidden = state !== "Failed";
  part(".delete").hidden = state === "Deleting";
  if (row.state && row.state !== state) announce(state, conversion);
  Object.assign(row, { state, conversion });
}

function detail(state, { progress, queuePosition, output, message }) {
  if (state === "Running" && progress) return `${progress.percent} %${left(progress.etaSeconds)}`;
  if (state === "Queued" && queuePosition) return `as number ${queuePosition}`;
  if (state === "Succeeded" && output) {
    return [`${duration(output.durationSeconds)}, ${size(output.bytes)}`, ...(output.notes ?? [])].join(" · ");
  }
  return state === "Failed" ? message : "";
}

function announce(state, { filename, message }) {
  if (state === "Running") say(`${filename} is being converted.`);
  if (state === "Succeeded") say(`${filename} is ready.`);
  if (state === "Failed") say(`${filename} failed: ${message}`, true);
}

const left = (seconds) => (seconds > 0 ? `, ${duration(seconds)} left` : "");

/** In the units of the emails. */
function size(bytes) {
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const number = bytes / 1024 ** power;
  return `${power ? number.toFixed(1) : number} ${["bytes", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

function duration(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const [first, ...rest] = parts[0] ? parts : parts.slice(1);
  return [first, ...rest.map((part) => String(part).padStart(2, "0"))].join(":");
}

async function remove(conversion) {
  if (!confirm(`Delete ${conversion.filename}, with all that is stored of it?`)) return;
  try {
    await ask(`conversions/${encodeURIComponent(conversion.name)}`, { method: "DELETE" });
    say(`${conversion.filename} is deleted.`);
    byId("title").focus();
  } catch (error) {
    complain(error);
  }
  refresh();
}

async function retry(conversion) {
  try {
    await ask(`conversions/${encodeURIComponent(conversion.name)}/retry`, { method: "POST" });
    say(`${conversion.filename} is tried again.`);
    const row = rows.get(conversion.name);
    if (row) row.awaitedUntil = Date.now() + AWAITED;
    byId("title").focus();
  } catch (error) {
    complain(error);
  }
  refresh();
}

// --- downloads ---

const downloadOf = (conversion) => download(conversion.output.fileId, conversion.filename);

function downloadWanted() {
  download(wantedFile, "your mp3");
  wantedFile = null;
  history.replaceState(null, "", location.pathname); // Once; not again with every reload.
}

async function download(fileId, name) {
  say(`Downloading ${name} …`);
  try {
    const answer = await ask(`download?${new URLSearchParams({ fid: fileId })}`, { headers: { Accept: "audio/mpeg" } });
    const filename = nameIn(answer.headers.get("Content-Disposition"));
    save(await bytesOf(answer, name), filename);
    say(`${filename} is downloaded.`);
  } catch (error) {
    complain(error);
  }
}

async function bytesOf(answer, name) {
  const total = Number(answer.headers.get("Content-Length"));
  let done = 0;
  const count = (piece, onward) => {
    done += piece.length;
    say(under(`Downloading ${name}`, done, total));
    onward.enqueue(piece);
  };
  try {
    const counted = answer.body.pipeThrough(new TransformStream({ transform: count }));
    return await new Response(counted, { headers: { "Content-Type": "audio/mpeg" } }).blob();
  } catch {
    throw new Error("The download broke off. Try again.");
  }
}

function save(blob, filename) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000); // Some browsers begin to read it only later.
}

function nameIn(disposition) {
  const found = /filename\*=UTF-8''([^;]+)/.exec(disposition || "");
  return found ? decodeURIComponent(found[1]) : "audio.mp3";
}

byId("login").addEventListener("submit", logIn);
byId("upload").addEventListener("submit", upload);
byId("cancel").addEventListener("click", () => uploading?.abort());
byId("logout").addEventListener("click", logOut);
byId("more").addEventListener("click", () => { shown += PAGE; refresh(); });
addEventListener("beforeunload", (event) => { if (uploading) event.preventDefault(); });
document.addEventListener("visibilitychange", refresh);
show();
