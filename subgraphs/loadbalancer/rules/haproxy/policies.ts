// Renders L7 policies and rules as ACLs. Octavia's order: REJECT, then redirects of the client, then of the pool; within each by position.
import type { WantedPart } from '../../wire/wanted-node.ts';
import { useLines } from './backend.ts';
import { format, word } from './quoting.ts';
import { fileOf, isEnabled, type Tree } from './tree.ts';

/** Policies with the same place are ordered by position. */
const order: Readonly<Record<string, number>> = {
  REJECT: 0,
  REDIRECT_TO_URL: 1,
  REDIRECT_PREFIX: 1,
  REDIRECT_TO_POOL: 2,
};
const matches: Readonly<Record<string, string>> = {
  EQUAL_TO: 'str',
  STARTS_WITH: 'beg',
  ENDS_WITH: 'end',
  CONTAINS: 'sub',
  REGEX: 'reg',
};

export function policyLines(tree: Tree, listener: WantedPart): string[] {
  const rank = ({ spec }: WantedPart) => (order[String(spec.action)] ?? 0) * 10_000 + Number(spec.position);
  const policies = tree
    .children('L7Policy', listener.id)
    .filter(isEnabled)
    .toSorted((a, b) => rank(a) - rank(b));
  return policies.flatMap((policy) => {
    const rules = tree.children('L7Rule', policy.id).filter(isEnabled);
    // A policy without rules matches nothing, as in Octavia.
    if (rules.length === 0) return [];
    const condition = rules.map(({ id, spec }) => `${spec.invert === true ? '!' : ''}r_${id}`).join(' ');
    const actions = actionsOf(tree, policy, condition);
    const lines = rules.flatMap((rule) => [
      ...aclLines(tree, rule),
      ...(policy.spec.action === 'REJECT' ? tooLongLines(rule) : []),
    ]);
    return actions.length === 0 ? [] : [...lines, ...actions];
  });
}

function actionsOf(tree: Tree, { spec }: WantedPart, condition: string): string[] {
  const code = Number(spec.redirectCode ?? 302);
  switch (spec.action) {
    case 'REJECT':
      return [`http-request deny deny_status 403 if ${condition}`];
    case 'REDIRECT_TO_URL':
      return [`http-request redirect code ${code} location ${format(String(spec.redirectUrl))} if ${condition}`];
    case 'REDIRECT_PREFIX':
      return [`http-request redirect code ${code} prefix ${format(String(spec.redirectPrefix))} if ${condition}`];
    default: {
      const pool = tree.byId.get(String(spec.redirectPool));
      return pool === undefined || !isEnabled(pool) ? [] : useLines(tree, pool, condition);
    }
  }
}

/** For values up to this length every accepted expression stays within PCRE2's limits. */
const mostDecided = 2_048;

/**
 * HAProxy treats an expression that PCRE2 gives up on as not matching. So where a match rejects the request, longer values count as
 * matching. An inverted rule needs nothing: not matching rejects there.
 */
function tooLongLines({ id, spec }: WantedPart): string[] {
  if (spec.compareType !== 'REGEX' || spec.invert === true) return [];
  return [`acl r_${id} ${word(sampleOf(spec))} -m len ${mostDecided + 1}:`];
}

/** The sample that a rule compares. Only for types that support regular expressions. */
function sampleOf(spec: WantedPart['spec']): string {
  switch (spec.ruleType) {
    case 'HOST_NAME':
      return 'req.fhdr(host),host_only';
    case 'PATH':
    case 'FILE_TYPE':
      return 'path';
    case 'HEADER':
      // Not `req.hdr`, which compares the comma-separated pieces.
      return `req.fhdr(${String(spec.key)})`;
    case 'COOKIE':
      return `req.cook(${String(spec.key)})`;
    default:
      return `ssl_c_s_dn(${String(spec.key)})`;
  }
}

function aclLines(tree: Tree, { id, spec }: WantedPart): string[] {
  const name = `r_${id}`;
  const match = matches[String(spec.compareType)] ?? 'str';
  const isRegex = spec.compareType === 'REGEX';
  const text = String(spec.value);
  const line = (sample: string, flags: string, value = text) => [
    `acl ${name} ${word(sample)} ${flags} ${valueWords(tree, id, value)}`,
  ];
  switch (spec.ruleType) {
    case 'HOST_NAME':
      return line(sampleOf(spec), `-i -m ${match}`);
    case 'PATH':
      return line(sampleOf(spec), `-m ${match}`);
    case 'FILE_TYPE':
      return isRegex
        ? line('path,field(-1,/),regsub(^[^.]*$,),field(-1,.)', '-m reg')
        : line('path', '-m end', `.${text}`);
    case 'SSL_CONN_HAS_CERT':
      return [`acl ${name} ssl_c_used`];
    case 'SSL_VERIFY_RESULT':
      return [`acl ${name} ssl_c_verify ${Number(spec.value)}`];
    default:
      return line(sampleOf(spec), `-m ${match}`);
  }
}

/** In a file, so that it can change at runtime. But lines of a file lose surrounding spaces, and # starts a comment. */
function valueWords(tree: Tree, id: string, value: string): string {
  // Everything after -- is a value, whatever its first character.
  if (/^[# ]| $/.test(value)) return `-- ${word(value)}`;
  return `-f ${word(fileOf(tree, 'PATTERNS', `rule-${id}`, `${value}\n`))}`;
}
