// Asks the visitor once, and again when asked to. What was agreed to, sitedesk.js remembers.
(() => {
  "use strict";
  const form = document.getElementById("consent");
  if (!window.Sitedesk || !form) return;
  form.hidden = Boolean(Sitedesk.consent());
  document.getElementById("change-consent").addEventListener("click", () => {
    form.hidden = false;
    form.querySelector("button").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const before = Sitedesk.consent() || {};
    const allowed = event.submitter.value.split(" ");
    const now = {};
    for (const category of ["functional", "analytics", "marketing"]) now[category] = allowed.includes(category);
    Sitedesk.consent(now);
    form.hidden = true;
    // What runs already cannot be taken back: only a page without it can.
    if (Object.keys(now).some((category) => before[category] && !now[category])) location.reload();
  });
})();
