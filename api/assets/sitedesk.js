/* Sitedesk on a front end: banners by placement, counters after consent, beacons. docs/front-end.md tells how to use it.
 * No cookies, no dependencies. Where the API does not answer, the page stands as it is. */
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src*="/assets/sitedesk.js"]');
  if (!script || window.Sitedesk) return;
  const options = script.dataset;
  const api = options.api || script.src.replace(/\/assets\/[^/]*$/, "");
  // Browsers hide the attribute of a nonce, not the property.
  const nonce = script.nonce || options.nonce || "";

  // ---- What the visitor's browser remembers; a browser that will not is no reason to fail ----

  const remembered = (name, where = "localStorage") => {
    try {
      return JSON.parse(window[where].getItem("sitedesk." + name));
    } catch {
      return null;
    }
  };
  const remember = (name, value, where = "localStorage") => {
    try {
      window[where].setItem("sitedesk." + name, JSON.stringify(value));
    } catch {}
  };

  // ---- What is asked of the Delivery API ----

  const ask = (call, query, cache) => {
    const given = Object.entries(query).filter(([, value]) => value);
    const address = api + "/delivery/v1/" + call + "?" + new URLSearchParams(given);
    return fetch(address, { cache, credentials: "omit" }).then((answer) =>
      answer.ok ? answer.json() : Promise.reject(answer.status)
    );
  };

  // ---- Beacons: gathered, and sent in one piece, at the latest when the page is left ----

  let waiting = { banners: [], missing_paths: [] };
  let sending = 0;

  const send = () => {
    clearTimeout(sending);
    sending = 0;
    const told = {};
    for (const kind in waiting) if (waiting[kind].length) told[kind] = waiting[kind];
    waiting = { banners: [], missing_paths: [] };
    if (!Object.keys(told).length) return;
    // A string goes as plain text, without a preflight before it.
    navigator.sendBeacon(api + "/delivery/v1/beacons", JSON.stringify(told));
  };

  const tell = (kind, what) => {
    waiting[kind].push(what);
    if (waiting[kind].length >= 50) send();
    else sending = sending || setTimeout(send, 2000);
  };

  const tellOf = (view, kind) => {
    if (view.told[kind]) return;
    view.told[kind] = true;
    tell("banners", { kind, banner: view.banner.id, placement: view.place.name, view: view.id });
  };

  // ---- Which banner fits: all that depends on the visitor and on the clock ----

  const page = { path: location.pathname, locale: options.locale || "", topics: [] };
  const words = (text) => (text || "").split(",").map((word) => word.trim()).filter(Boolean);

  const device = () => {
    if (!matchMedia("(pointer: coarse)").matches) return "desktop";
    return Math.min(screen.width, screen.height) < 600 ? "mobile" : "tablet";
  };

  const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

  // Day and time on the clock of a banner's zone: ["mon", "09:30"].
  const clock = (zone, now) => {
    const said = {};
    const form = { timeZone: zone || "UTC", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    for (const part of new Intl.DateTimeFormat("en-GB", form).formatToParts(now)) said[part.type] = part.value;
    return [said.weekday.toLowerCase(), said.hour + ":" + said.minute];
  };

  const onTime = ({ days, hours, zone }, now) => {
    if (!days || !days.length) days = DAYS;
    if (!hours || !hours.length) hours = [{ from: "00:00", to: "24:00" }];
    const [today, time] = clock(zone, now);
    const yesterday = DAYS[(DAYS.indexOf(today) + 6) % 7];
    return hours.some(({ from, to }) => {
      if (from < to) return days.includes(today) && from <= time && time < to;
      // Over midnight: the small hours belong to the day before.
      return (days.includes(today) && from <= time) || (days.includes(yesterday) && time < to);
    });
  };

  const PERIODS = { hour: 36e5, day: 864e5, week: 6048e5, month: 2592e6 };
  const whereSeen = ({ cap }) => (cap.per === "session" ? "sessionStorage" : "localStorage");

  // How often it was shown in the period that runs, and when that ends; a session's does not end by the clock.
  const seen = (banner, now) => {
    const [times, until] = remembered("cap." + banner.id, whereSeen(banner)) || [0, 0];
    return until && now >= until ? [0, 0] : [times, until];
  };
  const isCapped = (banner, now) => banner.cap && seen(banner, now)[0] >= banner.cap.views;
  const countView = (banner, now) => {
    if (!banner.cap) return;
    const [times, until] = seen(banner, now);
    const period = PERIODS[banner.cap.per];
    remember("cap." + banner.id, [times + 1, until || (period ? now + period : 0)], whereSeen(banner));
  };

  const meets = (wanted, had) => !wanted || !wanted.length || had.some((one) => wanted.includes(one));

  const fits = (banner, place, now) => {
    const { devices, topics, locales } = banner.targeting || {};
    // A comparison with what is no date is false.
    return (
      !(now < Date.parse(banner.starts_at)) &&
      !(now >= Date.parse(banner.ends_at)) &&
      meets(devices, [device()]) &&
      meets(topics, page.topics.concat(words(place.element.dataset.topics))) &&
      (!page.locale || meets(locales, [page.locale])) &&
      onTime(banner, now)
    );
  };

  // By weight, among those of the highest priority; the house banner when there is nothing else.
  const choose = (place, now) => {
    const fitting = place.banners.filter((banner) => fits(banner, place, now) && !isCapped(banner, now));
    const paid = fitting.filter((banner) => !banner.house);
    const best = paid.length ? paid : fitting;
    const top = Math.max(...best.map(({ priority }) => priority));
    const among = best.filter(({ priority }) => priority === top);
    let at = Math.random() * among.reduce((sum, { weight }) => sum + weight, 0);
    return among.find(({ weight }) => (at -= weight) < 0);
  };

  // ---- Showing it ----

  let places = [];

  const make = (name, attributes, ...inside) => {
    const made = document.createElement(name);
    for (const key in attributes) if (attributes[key] != null) made.setAttribute(key, attributes[key]);
    made.append(...inside.filter(Boolean));
    return made;
  };

  const ours = (address) => (/^\/(?!\/)/.test(address) ? api + address : address);

  const picture = (image, place) => {
    const width = place.element.clientWidth;
    const made = make("img", {
      alt: image.alt || "",
      width: image.width,
      height: image.height,
      sizes: image.srcset && (place.element.dataset.sizes || (width ? width + "px" : "100vw")),
      srcset: image.srcset && image.srcset.replace(/(^|,\s*)(\/[^\s,])/g, (_, before, path) => before + api + path),
      src: ours(image.url),
    });
    if (image.color) made.style.backgroundColor = image.color;
    return made;
  };

  const frame = (creative, place) =>
    make("iframe", { sandbox: creative.sandbox || "", srcdoc: creative.html, title: place.name });

  const content = ({ creative }, place) => {
    if (creative.kind === "image") return picture(creative.image, place);
    if (creative.kind === "html") return frame(creative, place);
    return make("span", { class: "sitedesk-text" }, creative.text);
  };

  // A page of this site is gone to at once, and the click told by a beacon: the front end knows its own address. What
  // stands elsewhere is gone to by way of the server, which counts it even where no script runs.
  const linked = (view, inside) => {
    const { url, go, rel } = view.banner.link || {};
    const direct = !go || (url && /^\/(?!\/)/.test(url));
    const href = direct ? url : ours(go) + "?view=" + view.id;
    if (!href || !/^(https?|mailto|tel):/.test(new URL(href, location.href).href)) return inside;
    const framed = inside.localName === "iframe";
    const link = make("a", { href, rel: rel || null, class: framed ? "sitedesk-over" : "sitedesk-link" });
    const clicked = () => {
      if (direct) tellOf(view, "click");
      send();
    };
    link.addEventListener("click", clicked);
    link.addEventListener("auxclick", (event) => event.button === 1 && clicked());
    if (!framed) return link.append(inside), link;
    // Clicks do not come out of a frame: the link lies over it.
    link.setAttribute("aria-label", view.banner.advertiser || view.place.name);
    return make("span", { class: "sitedesk-framed" }, inside, link);
  };

  const labelled = ({ label, advertiser, erid }) => {
    const said = [label, label && advertiser, erid && "erid: " + erid].filter(Boolean).join(" \u00b7 ");
    return said && make("small", { class: "sitedesk-label" }, said);
  };

  // randomUUID is only there on https and on localhost.
  const newId = () =>
    crypto.randomUUID
      ? crypto.randomUUID()
      : crypto.getRandomValues(new Uint32Array(4)).join("-");

  // The one banner of a placement that is shown from now on; none: the placement is empty.
  const put = (place, banner, now) => {
    if (place.view) leave(place.view);
    place.view = null;
    if (!banner) return;
    const view = (place.view = { id: newId(), banner, place, told: {}, inSight: false, timer: 0 });
    const role = banner.emergency ? "alert" : null;
    const inside = linked(view, content(banner, place));
    view.root = make("div", { class: "sitedesk-banner", role, "data-banner": banner.id }, inside, labelled(banner));
    place.element.replaceChildren(view.root);
    countView(banner, now);
    tellOf(view, "impression");
    watched.set(view.root, view);
    watching.observe(view.root);
  };

  const leave = (view) => {
    clearTimeout(view.timer);
    watched.delete(view.root);
    watching.unobserve(view.root);
    view.root.remove();
  };

  // Another than the one that is shown only when that one ends, or when it was the house's and a better one begins.
  const decide = (place) => {
    const now = Date.now();
    const view = place.view;
    const stays = view && place.banners.includes(view.banner) && fits(view.banner, place, now);
    if (stays && !view.banner.house) return;
    const banner = choose(place, now);
    if (!(stays && (!banner || banner.house))) put(place, banner, now);
  };

  // Looks again when a banner begins or ends, each minute where days and hours decide, and now and then: a machine
  // that slept has missed its timers.
  let next = 0;
  const decideAll = () => {
    clearTimeout(next);
    places.forEach((place) => {
      try {
        decide(place);
      } catch {} // a zone or an address that this browser does not know
    });
    const now = Date.now();
    let wait = 36e5;
    for (const place of places) {
      for (const { starts_at, ends_at, days, hours } of place.banners) {
        for (const at of [Date.parse(starts_at), Date.parse(ends_at)]) if (at > now) wait = Math.min(wait, at - now);
        if ((days || []).concat(hours || []).length) wait = Math.min(wait, 6e4 - (now % 6e4));
      }
    }
    next = setTimeout(decideAll, wait + 20);
  };

  // ---- Seen: half of it for one second, on a page that is in front ----

  const watched = new Map();
  const dwell = (view) => {
    clearTimeout(view.timer);
    if (view.inSight && document.visibilityState === "visible" && !view.told.viewable)
      view.timer = setTimeout(() => tellOf(view, "viewable"), 1000);
  };
  const look = (entries) => {
    for (const { target, intersectionRatio } of entries) {
      const view = watched.get(target);
      if (!view) continue;
      view.inSight = intersectionRatio >= 0.5;
      dwell(view);
    }
  };
  const watching = new IntersectionObserver(look, { threshold: 0.5 });

  document.addEventListener("visibilitychange", () => {
    watched.forEach(dwell);
    if (document.visibilityState === "hidden") send();
    else decideAll();
  });
  addEventListener("pagehide", send);

  // ---- Counters: nothing of them is on the page before the visitor agreed ----

  let counters = [];
  const loaded = new Set();
  const agreed = (category) => category === "necessary" || (remembered("consent") || {})[category] === true;

  // Scripts that come with a text do not run; their copies do, in their order unless they ask for none.
  const revived = (dead) => {
    const live = make("script", {});
    for (const { name, value } of [...dead.attributes]) live.setAttribute(name, value);
    live.async = dead.hasAttribute("async");
    if (nonce) live.nonce = nonce;
    live.textContent = dead.textContent;
    dead.replaceWith(live);
  };

  const load = (counter) => {
    loaded.add(counter.id);
    const template = make("template", {});
    template.innerHTML = counter.code;
    const code = document.importNode(template.content, true);
    code.querySelectorAll("noscript").forEach((one) => one.remove());
    code.querySelectorAll("script").forEach(revived);
    if (counter.position === "head") document.head.append(code);
    else if (counter.position === "body_start") document.body.prepend(code);
    else document.body.append(code);
  };

  // Google's Consent Mode: all denied at first, then what was agreed to, and each change of it.
  let signals = "";
  const signal = () => {
    const now = {};
    for (const { consent, category } of counters)
      for (const one of consent || []) now[one] = now[one] === "granted" || agreed(category) ? "granted" : "denied";
    const said = JSON.stringify(now);
    if (said === "{}" || said === signals || !(signals || said.includes("granted"))) return;
    window.dataLayer = window.dataLayer || [];
    // It knows commands by their being arguments, which an arrow has not.
    window.gtag = window.gtag || function () { window.dataLayer.push(arguments); };
    if (!signals) window.gtag("consent", "default", JSON.parse(said.replace(/granted/g, "denied")));
    window.gtag("consent", "update", now);
    signals = said;
  };

  const loadAgreed = () => {
    signal();
    counters.filter(({ id, category }) => !loaded.has(id) && agreed(category)).forEach(load);
  };

  addEventListener("storage", (event) => event.key === "sitedesk.consent" && loadAgreed());

  // ---- A page, from the data in it or from the API ----

  let turn = 0;

  const askForBanners = (wanted, cache, had) => {
    const mine = turn;
    if (!wanted.length) return;
    const placement = [...new Set(wanted.map(({ name }) => name))].join();
    const { path, locale } = page;
    const take = (banners) => {
      if (mine !== turn) return;
      for (const place of wanted) place.banners = banners.filter((banner) => banner.placement === place.name);
      decideAll();
    };
    ask("banners", { placement, path, locale }, cache).then(({ data }) => take(data), () => take(had));
  };

  const begin = (data) => {
    turn += 1;
    const mine = turn;
    places.forEach(({ view }) => view && leave(view));
    const had = data.banners || {};
    places = [...document.querySelectorAll("[data-sitedesk-placement]")].map((element) => {
      const name = element.dataset.sitedeskPlacement;
      return { element, name, banners: [], view: null };
    });
    // What cannot wait for caches is asked for each time, whatever the page says of it.
    const urgent = ({ element, name }) =>
      "emergency" in element.dataset || (had[name] || []).some(({ emergency }) => emergency);
    for (const place of places) if (had[place.name] && !urgent(place)) place.banners = had[place.name];
    decideAll();
    askForBanners(places.filter(urgent), "no-cache", [].concat(...Object.values(had)));
    askForBanners(places.filter((place) => !had[place.name] && !urgent(place)), "default", []);
    const take = (found) => {
      if (mine !== turn) return;
      counters = found;
      loadAgreed();
    };
    if (data.counters) take(data.counters);
    else ask("counters", { path: page.path, locale: page.locale }, "no-cache").then((had) => take(had.data), () => {});
  };

  const miss = () => {
    const { path, locale } = page;
    tell("missing_paths", { path, referrer: document.referrer || null, locale: locale || null });
  };

  window.Sitedesk = {
    // What the visitor agrees to, {functional, analytics, marketing}; what is left out stays as it was. Without it:
    // what the visitor agreed to so far, or null.
    consent(given) {
      if (given) {
        remember("consent", Object.assign({}, remembered("consent"), given));
        loadAgreed();
      }
      return remembered("consent");
    },
    // For front ends that change pages without loading them, when the new page stands. More: locale, topics,
    // missing: true, and banners and counters where they are known already.
    page(path, more = {}) {
      page.path = path;
      page.locale = more.locale || page.locale;
      page.topics = more.topics || [];
      begin(more);
      if (more.missing) miss();
    },
  };

  const start = () => {
    const element = document.getElementById("sitedesk-page");
    let data = {};
    try {
      data = (element && JSON.parse(element.textContent)) || {};
    } catch {}
    page.locale = page.locale || data.locale || "";
    page.topics = words(options.topics).concat(data.topics || []);
    begin(data);
    if ("missing" in options) miss();
  };

  // A page that is made ready beforehand and never looked at shows nothing and counts nothing.
  const ready = () =>
    document.prerendering ? document.addEventListener("prerenderingchange", start, { once: true }) : start();
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
