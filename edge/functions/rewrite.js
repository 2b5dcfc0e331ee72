// CloudFront Functions 2.0, viewer request: /track/<token> and /book/<step> are two static pages; everything else passes.
// A throw would be a 503 for the visitor, so nothing is decoded, only matched. The browser keeps the address it asked for.
'use strict';

var ROUTE = /^\/(track|book)(?:\/(.*))?$/;
var PAGES = {
  track: { uri: '/track.html', parameter: 'token', value: /^[A-Za-z0-9_-]{8,64}$/, first: '' },
  book: { uri: '/book.html', parameter: 'step', value: /^(?:where|what|photos|when|contact|check|done)$/, first: 'where' }
};

function handler(event) {
  var request = event.request;
  var match = ROUTE.exec(request.uri);
  if (!match) {
    return request;
  }
  var page = PAGES[match[1]];
  var value = match[2] ? match[2].replace(/\/$/, '') : page.first;
  if (!page.value.test(value)) {
    request.uri = '/404.html';
    return request;
  }
  request.uri = page.uri;
  request.querystring = request.querystring || {};
  request.querystring[page.parameter] = { value: value };
  return request;
}
