// Follows the edge function in one file: makes nginx's request CloudFront's event, and does what CloudFront does with the
// answer. What the function makes of the query is dropped here, because the cache policy forwards none.

function viewerRequest(r) {
  var request;
  try {
    request = handler(event(r));
  } catch (error) {
    r.error(String(error));
    r.return(503, 'FunctionExecutionError\n');
    return;
  }
  if (!request || typeof request.uri !== 'string' || request.uri.charAt(0) !== '/') {
    r.return(502, 'FunctionValidationError\n');
  } else {
    r.variables.rewritten = request.uri;
    r.internalRedirect('@page');
  }
}

function event(r) {
  var headers = {};
  Object.keys(r.headersIn).forEach((name) => {
    if (name.toLowerCase() !== 'cookie') {
      headers[name.toLowerCase()] = { value: r.headersIn[name] };
    }
  });
  var asked = r.variables.request_uri.split('?');
  return {
    version: '1.0',
    context: { eventType: 'viewer-request' },
    viewer: { ip: r.remoteAddress },
    request: {
      method: r.method,
      uri: asked[0],
      querystring: query(asked.slice(1).join('?')),
      headers: headers,
      cookies: {}
    }
  };
}

function query(text) {
  var found = Object.create(null); // __proto__ is a name like others
  text.split('&').forEach((part) => {
    if (part) {
      var at = part.indexOf('=');
      var name = at < 0 ? part : part.substring(0, at);
      var value = { value: at < 0 ? '' : part.substring(at + 1) };
      if (!found[name]) {
        found[name] = value;
      } else {
        found[name].multiValue = (found[name].multiValue || [{ value: found[name].value }]).concat(value);
      }
    }
  });
  return found;
}

export default { viewerRequest };
