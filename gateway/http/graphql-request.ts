// Checks that the endpoint can read a request to /graphql, and that the client can read the answer (GraphQL over HTTP). Any other request is refused
// before execution, so that no mutation is carried out for an answer that the client refuses.
import type { IncomingMessage, ServerResponse } from 'node:http';
import Negotiator from 'negotiator';
import { quoted } from '../../platform/errors/errors.ts';
import { HttpError } from '../../platform/graph/http-body.ts';
import { remembered } from '../../platform/values/remembered.ts';
import { eventStreamType } from './server-sent-events.ts';

const answerTypes = ['application/json', 'application/graphql-response+json', eventStreamType];
/** A client may ask for a type with its charset. */
const inUtf8 = (type: string): string => `${type}; charset=utf-8`;
const offeredTypes = answerTypes.map(inUtf8);

/** The forms of an answer that the client accepts. */
interface AcceptedAnswer {
  /** The client prefers Server-Sent Events to JSON. */
  readonly asEvents: boolean;
  /** The client accepts event streams, so a subscription may be answered with one. */
  readonly takesStream: boolean;
}

/** Whether a person opened the address in a browser, without a document. They get GraphiQL. */
export function isVisit({ method, headers }: IncomingMessage, search: string): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || search.length > 1) return false;
  return new Negotiator({ headers }).mediaType([...offeredTypes, inUtf8('text/html')]) === inUtf8('text/html');
}

const acceptedTypes = remembered((accept) => {
  const negotiator = new Negotiator({ headers: { accept } });
  return {
    preferred: negotiator.mediaType(offeredTypes),
    namesStream: negotiator.mediaTypes().some((type) => type.toLowerCase() === eventStreamType),
  };
});

/** Throws HttpError 406 or 415. */
export function checkGraphqlRequest({ method, headers }: IncomingMessage, response: ServerResponse): AcceptedAnswer {
  const { preferred, namesStream } = acceptedTypes(headers.accept ?? '*/*');
  if (preferred === undefined)
    throw new HttpError(406, `Accept must allow ${answerTypes.slice(0, -1).join(', ')} or ${answerTypes.at(-1)}.`);
  const asEvents = preferred === inUtf8(eventStreamType);
  const takesStream = asEvents || namesStream;
  const contentEncoding = headers['content-encoding']?.trim() || 'identity';
  if (contentEncoding.toLowerCase() !== 'identity') {
    response.setHeader('accept-encoding', 'identity');
    throw new HttpError(415, 'Compressed requests are not read: send the body without Content-Encoding.');
  }
  // A HEAD has no body, and therefore no events.
  if (method !== 'POST') return { asEvents, takesStream: takesStream && method === 'GET' };
  const contentType = headers['content-type'] ?? '';
  // A page of another origin could send any other type without a preflight (CSRF).
  if (!/^\s*application\/json\s*(;|$)/i.test(contentType))
    throw new HttpError(
      415,
      `The request has ${contentType === '' ? 'no Content-Type' : `Content-Type ${quoted(contentType)}`}: send it as Content-Type: application/json.`,
    );
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset !== 'utf-8' && charset !== 'utf8')
    throw new HttpError(
      415,
      'The request must be in UTF-8: send Content-Type: application/json without another charset.',
    );
  return { asEvents, takesStream };
}
