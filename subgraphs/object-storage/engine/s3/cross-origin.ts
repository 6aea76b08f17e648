// Presigned URLs work in pages of any origin: the URL itself is the permission, and a browser sends no credential of its own with it.
// So the dashboard uploads straight to a cluster. All other requests need a header that browsers send to no other origin unasked.
import type { Exchange } from './call.ts';

const methods = 'GET, PUT, DELETE';
const preflightSeconds = 600;

/** True if the request was a browser's question, which has its answer now (Fetch standard, "CORS-preflight fetch"). */
export function answerOtherOrigins({ request, response }: Exchange): boolean {
  const { headers, method, url = '' } = request;
  if (headers.origin === undefined || !/[?&]X-Amz-Signature=/.test(url)) return false;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', 'etag');
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
  response.writeHead(204, {
    'access-control-allow-methods': methods,
    'access-control-allow-headers': 'content-type',
    'access-control-max-age': String(preflightSeconds),
  });
  response.end();
  return true;
}
