// Keeps the page up to date, and lets an operator act. Without it the pages still read and filter.
"use strict";

(() => {
  const words = JSON.parse(document.body.dataset.words);
  const refresh = Number(document.body.dataset.refresh) * 1000;
  const age = document.getElementById("age");
  const live = document.getElementById("live");
  const dialog = document.getElementById("ask");
  let updated = Date.now();
  let away = false;
  let timer = 0;
  let asking = false;
  // What the page shows may be out of date, as an act that failed has told.
  let stale = false;

  class SignedOut extends Error {}

  const say = (text, values = {}) =>
    Object.entries(values).reduce((told, [name, value]) => told.replace(`[${name}]`, value), text);

  const tell = (text) => {
    live.textContent = text;
    live.classList.toggle("away", away);
    if (!away) setTimeout(() => { if (live.textContent === text) live.textContent = ""; }, 20000);
  };

  // A table that does not fit is scrolled by keys, and so has to take the focus; another need not.
  const makeWideScrollable = () => {
    for (const part of document.querySelectorAll(".wide")) {
      if (part.scrollWidth > part.clientWidth) {
        part.tabIndex = 0;
        part.setAttribute("role", "group");
        part.setAttribute("aria-label", part.querySelector("caption").textContent);
      } else if (part !== document.activeElement) {
        for (const name of ["tabindex", "role", "aria-label"]) part.removeAttribute(name);
      }
    }
  };

  const showAge = () => {
    if (refresh) age.textContent = say(words.updated, { s: Math.round((Date.now() - updated) / 1000) });
  };

  // Bring one element in line with another, and leave what is the same, focus and scroll included.
  const isOpen = (node) => node.tagName === "DETAILS" || node.tagName === "DIALOG";
  const isField = (node) => /^(INPUT|SELECT|TEXTAREA)$/.test(node.tagName);
  const same = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");

  const follow = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (isField(old)) return;
    for (const { name } of old.classList.contains("wide") ? [] : [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(name === "open" && isOpen(old))) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const wanted = [...fresh.childNodes];
    const kept = new Set(wanted.map((child) => child.id).filter(Boolean));
    wanted.forEach((child, at) => {
      // What has an id is moved and not written over: a row stays the row that it was.
      const known = child.id && [...old.children].find((one) => one.id === child.id);
      if (known && known !== old.childNodes[at]) old.insertBefore(known, old.childNodes[at] ?? null);
      const here = old.childNodes[at];
      if (here && same(here, child)) follow(here, child);
      else if (here && !kept.has(here.id)) old.replaceChild(document.importNode(child, true), here);
      else old.insertBefore(document.importNode(child, true), here ?? null);
    });
    while (old.childNodes.length > wanted.length) old.lastChild.remove();
  };

  const load = async () => {
    const answer = await fetch(location.href, {
      cache: "no-store",
      headers: { Accept: "text/html" },
      redirect: "manual",
      signal: AbortSignal.timeout(10000),
    });
    // A page to sign in at is elsewhere, and not for a script to open.
    if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
    if (answer.status >= 500) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = fresh.getElementById("main");
    if (!main) throw new Error("no page");
    const token = fresh.querySelector('meta[name="csrf-token"]');
    const mine = document.querySelector('meta[name="csrf-token"]');
    if (token && mine) mine.content = token.content;
    document.title = fresh.title;
    follow(document.getElementById("main"), main);
    makeWideScrollable();
    updated = Date.now();
    stale = false;
  };

  const look = async () => {
    clearTimeout(timer);
    if (!document.hidden && !(dialog && dialog.open)) {
      try {
        await load();
        if (away) {
          away = false;
          tell(words.back);
        }
      } catch (error) {
        if (!away) {
          away = true;
          tell(error instanceof SignedOut ? words.signed_out : words.away);
        }
      }
      showAge();
    }
    plan();
  };

  const plan = () => {
    clearTimeout(timer);
    if (refresh && !document.hidden) timer = setTimeout(look, away ? refresh * 2 : refresh);
  };

  // Fields that say nothing stay out of the address.
  document.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });

  // A browser that goes back fills in what was typed, which is not what the page shows.
  const filters = () => document.querySelector("form.filters[method=get]");
  window.addEventListener("pageshow", () => filters()?.reset());
  window.addEventListener("resize", makeWideScrollable);
  makeWideScrollable();

  const isChanged = (field) => {
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
    const options = [...field.options];
    return field.selectedIndex !== Math.max(0, options.findIndex((option) => option.defaultSelected));
  };

  if (refresh) {
    showAge();
    setInterval(() => document.hidden || showAge(), 1000);
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
    plan();
  }
  if (!dialog) return;

  const post = async (path, body) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const answer = await fetch(path, {
      redirect: "manual",
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-Requested-With": "gallery-replicator",
        "X-CSRF-Token": token,
      },
      body: JSON.stringify(body),
    }).catch(() => { throw new Error(words.away); });
    if (answer.type === "opaqueredirect") throw new Error(words.signed_out);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(told.detail || String(answer.status)), { status: answer.status });
    return told;
  };

  const part = (name) => document.getElementById(`ask-${name}`);
  const yes = part("yes");
  let act = null;

  const open = ({ title, text, label = "", reason, option, list = [], grave = false, after = "", run }) => {
    part("title").textContent = title;
    part("text").textContent = text;
    part("list").replaceChildren(...list.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }));
    part("list").hidden = list.length === 0;
    part("reason-part").hidden = !reason;
    part("reason").value = "";
    part("reason").required = Boolean(reason);
    part("option-part").hidden = !option;
    part("option-text").textContent = option || "";
    part("option").checked = false;
    part("problem").textContent = "";
    yes.textContent = label.replace("…", "").trim();
    yes.classList.toggle("grave", grave);
    yes.hidden = !run;
    yes.disabled = false;
    act = run && { run, after };
    if (!dialog.open) dialog.showModal();
    // What cannot be undone is not one key away.
    (reason ? part("reason") : run && !grave ? yes : part("no")).focus();
  };

  // The row of the button may be gone, and the focus with it: the next one takes it.
  const keepFocus = (next) => {
    if (document.activeElement && document.activeElement !== document.body) return;
    const row = next && document.getElementById(next);
    const target = row?.querySelector("button") || row?.querySelector("a") || document.querySelector("#main h1");
    if (target.tagName === "H1") target.tabIndex = -1;
    target.focus();
  };

  const perform = async () => {
    if (!act || asking) return;
    asking = true;
    yes.disabled = true;
    part("problem").textContent = "";
    const { run, after } = act;
    try {
      const told = await run({ reason: part("reason").value.trim(), option: part("option").checked });
      if (told === null) return;
      dialog.close();
      if (after) {
        location.assign(after);
        return;
      }
      const next = document.activeElement?.closest("tr")?.nextElementSibling?.id;
      tell(say(words.done, { told }));
      await look();
      keepFocus(next);
    } catch (error) {
      stale = true;
      part("problem").textContent = say(words.failed, { told: error.message });
      yes.disabled = false;
      yes.focus();
    } finally {
      asking = false;
    }
  };

  const one = (button) => {
    const { act: path, title, text, body, reason, option, optionField, grave, after } = button.dataset;
    open({
      title, text, reason, option, after, grave: Boolean(grave), label: button.textContent,
      run: async (chosen) => {
        const sent = JSON.parse(body);
        if (reason) sent.reason = chosen.reason;
        if (option) sent[optionField] = chosen.option;
        return (await post(path, sent)).reason;
      },
    });
  };

  const many = async (button) => {
    const { bulk: path, title, text, told: chosen, grave } = button.dataset;
    const filter = JSON.parse(button.dataset.filter);
    const means = JSON.parse(button.dataset.means);
    if ([...(filters()?.elements || [])].some((field) => field.name && isChanged(field))) {
      open({ title, text: words.not_shown });
      return;
    }
    open({ title, text: words.counting });
    try {
      const counted = await post(path, { filter, dry_run: true });
      if (!counted.count) {
        open({ title, text: words.none });
        return;
      }
      const causes = Object.entries(counted.by_code);
      const list = causes.map(([code, n]) => `${code}: ${n}${means[code] ? ` (${means[code]})` : ""}`);
      open({
        title, text, label: button.textContent, grave: Boolean(grave),
        list: [chosen, ...list, say(words.count, { n: counted.count })],
        run: async () => {
          let told;
          try {
            told = await post(path, { filter, token: counted.token });
          } catch (error) {
            if (error.status !== 409) throw error;
            // They are others by now: show how many, and ask again.
            await many(button);
            stale = true;
            part("problem").textContent = words.counted_again;
            return null;
          }
          const why = told.items.find((item) => !item.done);
          const sum = say(words.done_many, { done: told.done, not: told.not_done });
          return why ? `${sum}: ${why.reason}` : sum;
        },
      });
    } catch (error) {
      part("problem").textContent = say(words.failed, { told: error.message });
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act], button[data-bulk]");
    if (!button) return;
    if (button.dataset.bulk) many(button);
    else one(button);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.replicate) {
      event.preventDefault();
      const id = form.elements.image_version_id.value.trim();
      open({
        title: words.replicate, text: id, label: words.replicate,
        run: async () => (await post(form.dataset.replicate, { image_version_id: id })).reason,
      });
    } else if (form.method === "dialog") {
      event.preventDefault();
      perform();
    }
  });
  // A key that is held down asked once.
  dialog.addEventListener("keydown", (event) => {
    if (event.repeat && (event.key === "Enter" || event.key === " ")) event.preventDefault();
  });
  part("no").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    act = null;
    if (stale) look();
    else plan();
  });
})();
