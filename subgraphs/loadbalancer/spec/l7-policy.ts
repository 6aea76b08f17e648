// L7 policies and their rules: requests that are refused, redirected, or sent to another pool.

import { formedField } from '../../../platform/graph/described/fields.ts';
import { onlyFor } from '../../../platform/graph/described/kind.ts';
import { printable, token, webAddress } from '../../../platform/graph/described/patterns.ts';
import { booleanField, enumField, integerField, required, textField } from '../../../platform/graph/fields.ts';
import { isHost } from '../../../platform/input/input.ts';
import type { SchemaFault } from '../../../platform/input/json-schema.ts';
import { hostOf } from '../../../platform/net/origin.ts';
import { descriptionField, enabledField, nameField, tagsField } from './common-fields.ts';
import { type PartKind, part } from './part-kind.ts';
import { regularExpressionFault } from './regular-expression.ts';

const action = {
  name: 'L7PolicyAction',
  description: 'What an L7 policy does with a request.',
  values: {
    REJECT: 'Answers it with 403.',
    REDIRECT_TO_POOL: 'Sends it to another pool.',
    REDIRECT_TO_URL: 'Redirects the client to a URL.',
    REDIRECT_PREFIX: 'Redirects the client to a prefix followed by the path of the request.',
  },
} as const;

const url = (description: string) => formedField(description, 2048, webAddress);

export const l7Policy: PartKind = {
  name: 'L7Policy',
  description: 'What a listener does with the requests that match all rules of the policy.',
  parent: 'Listener',
  most: 100,
  fields: {
    name: nameField,
    description: descriptionField,
    action: part(required(enumField('What it does with a matching request.', action)), { octavia: 'action' }),
    position: part(
      integerField(
        'Its place in the order, 1 to 1000. REJECT policies come first, then redirects of the client, then pools. Within each kind the lowest position comes first, then the oldest policy.',
        1,
        1_000,
      ),
      { default: 1_000, octavia: 'position' },
    ),
    redirectPool: part(textField('The pool, for REDIRECT_TO_POOL.', 255), {
      refersTo: 'Pool',
      octavia: 'redirect_pool_id',
    }),
    redirectUrl: part(url('The URL, for REDIRECT_TO_URL.'), { octavia: 'redirect_url' }),
    redirectPrefix: part(url('The prefix, for REDIRECT_PREFIX, for example https://www.example.com.'), {
      octavia: 'redirect_prefix',
    }),
    redirectCode: part(
      {
        ...integerField('The status of the redirect: 301, 302, 303, 307 or 308. 302 if omitted.', 301, 308),
        schema: { type: 'integer', enum: [301, 302, 303, 307, 308] },
      },
      { octavia: 'redirect_http_code' },
    ),
    enabled: enabledField,
    tags: tagsField,
  },
  refine: (spec) => [
    ...onlyFor(spec, 'redirectPool', 'action', ['REDIRECT_TO_POOL'], { required: true }),
    ...onlyFor(spec, 'redirectUrl', 'action', ['REDIRECT_TO_URL'], { required: true }),
    ...onlyFor(spec, 'redirectPrefix', 'action', ['REDIRECT_PREFIX'], { required: true }),
    ...onlyFor(spec, 'redirectCode', 'action', ['REDIRECT_TO_URL', 'REDIRECT_PREFIX']),
    ...['redirectUrl', 'redirectPrefix'].filter((field) => !leadsToHost(spec[field])).map(noHost),
  ],
};

function leadsToHost(url: unknown): boolean {
  if (url === null) return true;
  const parsed = URL.parse(String(url));
  return parsed !== null && isHost(hostOf(parsed));
}

const noHost = (field: string): SchemaFault => ({
  path: [field],
  message: 'must have a host name or an address, and a valid port',
});

const type = {
  name: 'L7RuleType',
  description: 'What an L7 rule compares.',
  values: {
    HOST_NAME: 'The host name that the client asked for, without the port.',
    PATH: 'The path.',
    FILE_TYPE: 'The part of the path after its last dot.',
    HEADER: 'The header `key`, as a whole line with its commas. If there are several lines, one has to match.',
    COOKIE: 'The cookie `key`.',
    SSL_CONN_HAS_CERT: 'Whether the client presented a certificate: True.',
    SSL_VERIFY_RESULT: 'The number of the result of its verification, 0 for a valid certificate.',
    SSL_DN_FIELD: 'The first field `key` of its subject, for example CN.',
  },
} as const;

const compareType = {
  name: 'L7RuleCompareType',
  description: 'How an L7 rule compares.',
  values: {
    EQUAL_TO: 'It is `value`.',
    STARTS_WITH: 'It starts with `value`.',
    ENDS_WITH: 'It ends with `value`.',
    CONTAINS: 'It contains `value`.',
    REGEX:
      'The regular expression `value` (PCRE2) matches; (?i) first ignores case. Expressions that may be slow are refused. In a REJECT policy that is not inverted, texts over 2048 characters match too.',
  },
} as const;

const keyed = ['HEADER', 'COOKIE', 'SSL_DN_FIELD'];
/** Octavia's table: each type has its own comparisons (api/v2, "L7 rule types and compare types"). */
const onlyEqual = ['SSL_CONN_HAS_CERT', 'SSL_VERIFY_RESULT'];

export const l7Rule: PartKind = {
  name: 'L7Rule',
  description: 'A condition of an L7 policy. All of its rules must match.',
  parent: 'L7Policy',
  most: 50,
  fields: {
    ruleType: part(required(enumField('The part of a request that it compares.', type)), { octavia: 'type' }),
    compareType: part(required(enumField('How it compares with `value`.', compareType)), { octavia: 'compare_type' }),
    key: part(
      formedField('The name of the header, cookie or field. Required for HEADER, COOKIE and SSL_DN_FIELD.', 255, token),
      { octavia: 'key' },
    ),
    value: part(required(formedField('The value to compare with, in printable ASCII.', 255, printable)), {
      octavia: 'value',
    }),
    invert: part(booleanField('If true, the rule matches when the comparison fails.'), {
      default: false,
      octavia: 'invert',
    }),
    enabled: enabledField,
    tags: tagsField,
  },
  refine(spec) {
    const faults = onlyFor(spec, 'key', 'ruleType', keyed, { required: true });
    if (spec.compareType !== 'EQUAL_TO' && onlyEqual.includes(String(spec.ruleType)))
      faults.push({ path: ['compareType'], message: `must be EQUAL_TO for ruleType ${String(spec.ruleType)}` });
    if (spec.ruleType === 'FILE_TYPE' && !['EQUAL_TO', 'REGEX'].includes(String(spec.compareType)))
      faults.push({ path: ['compareType'], message: 'must be EQUAL_TO or REGEX for ruleType FILE_TYPE' });
    if (spec.ruleType === 'SSL_CONN_HAS_CERT' && String(spec.value).toLowerCase() !== 'true')
      faults.push({
        path: ['value'],
        message: 'must be True for ruleType SSL_CONN_HAS_CERT; use invert for the opposite',
      });
    if (spec.ruleType === 'SSL_DN_FIELD' && spec.key !== null && !/^[A-Za-z][A-Za-z0-9.]*$/.test(String(spec.key)))
      faults.push({ path: ['key'], message: 'must be the name of a field, for example CN, for ruleType SSL_DN_FIELD' });
    // HAProxy also ends a cookie's value there.
    if (spec.ruleType === 'COOKIE' && spec.compareType !== 'REGEX' && /[,;]/.test(String(spec.value)))
      faults.push({ path: ['value'], message: 'must have no comma and no semicolon: the value of a cookie has none' });
    const bad = spec.compareType === 'REGEX' ? regularExpressionFault(String(spec.value)) : undefined;
    if (bad !== undefined) faults.push({ path: ['value'], message: bad });
    if (spec.ruleType === 'SSL_VERIFY_RESULT' && !/^\d{1,4}$/.test(String(spec.value)))
      faults.push({ path: ['value'], message: 'must be a number for ruleType SSL_VERIFY_RESULT' });
    return faults;
  },
};
