// The headers of an answer without errors, as Apollo Server chooses them by the request's Accept.
import Negotiator from 'negotiator';
import { remembered } from '../../platform/values/remembered.ts';

const json = 'application/json; charset=utf-8';
const types = [
  json,
  'application/graphql-response+json; charset=utf-8',
  'application/json; callbackSpec=1.0; charset=utf-8',
];

/** Undefined if the client accepts none of its types. */
export function answerHeaders(accept: string | undefined): ReadonlyMap<string, string> | undefined {
  return accept ? byAccept(accept).headers : byDefault;
}

const byDefault = new Map([['content-type', json]]);

const byAccept = remembered((accept) => {
  const type = new Negotiator({ headers: { accept } }).mediaType(types);
  return { headers: type === undefined ? undefined : new Map([['content-type', type]]) };
});
