// Headers that restrict the pages in a browser to their own origin. GraphiQL's document alone needs inline styles and data: fonts
// (measured with GraphiQL 5.4), so it is a separate document. Inline scripts need their hash, which static-files.ts adds.

const nothingElse =
  "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const dashboardPolicy = `${nothingElse}; style-src 'self'; font-src 'self'`;
export const graphiqlPolicy = `${nothingElse}; style-src 'self' 'unsafe-inline'; font-src 'self' data:`;
/** The worker that uploads to clusters of object storage, which are other origins. It has no access to the page. */
export const uploadWorkerPolicy = "default-src 'none'; connect-src http: https:; frame-ancestors 'none'";
/** For responses that are not documents. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** For every response. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
