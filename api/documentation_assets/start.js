"use strict";
// A file of its own, so that the page can forbid every inline script.
const place = document.getElementById("swagger-ui");
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.openapi,
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  docExpansion: "none",
  persistAuthorization: false,
  validatorUrl: null,
});
