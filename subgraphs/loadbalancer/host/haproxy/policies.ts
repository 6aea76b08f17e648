// L7 policies and rules as ACLs. Octavia's order: REJECT, then redirects of the client, then of the pool; within each by position.
import type { WantedPart } from '../../wanted/wanted-node.ts';
import { useLines } from './backend.ts';
import { format, word } from './quoting.ts';
import { isEnabled, type Tree } from './tree.ts';

const order = ['REJECT', 'REDIRECT_TO_URL', 'REDIRECT_PREFIX', 'REDIRECT_TO_POOL'];
const matches: Readonly<Record<string, string>> = {
  EQUAL_TO: 'str',
  STARTS_WITH: 'beg',
  ENDS_WITH: 'end',
  CONTAINS: 'sub',
  REGEX: 'reg',
};

export function policyLines(tree: Tree, listener: WantedPart): string[] {
  const rank = ({ spec }: WantedPart) =>
    Math.max(1, order.indexOf(String(spec.action))) * 10_000 + Number(spec.position);
  const policies = tree
    .children('L7Policy', listener.id)
    .filter(isEnabled)
    .toSorted((a, b) => (a.spec.action === 'REJECT' ? 0 : rank(a)) - (b.spec.action === 'REJECT' ? 0 : rank(b)));
  return policies.flatMap((policy) => {
    const rules = tree.children('L7Rule', policy.id).filter(isEnabled);
    // Without rules it matches nothing, as in Octavia.
    if (rules.length === 0) return [];
    const condition = rules.map(({ id, spec }) => `${spec.invert === true ? '!' : ''}r_${id}`).join(' ');
    const actions = actionsOf(tree, policy, condition);
    return actions.length === 0 ? [] : [...rules.flatMap(aclLines), ...actions];
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

function aclLines({ id, spec }: WantedPart): string[] {
  const name = `r_${id}`;
  const match = matches[String(spec.compareType)] ?? 'str';
  // Everything after -- is a value, whatever it begins with.
  const value = `-- ${word(String(spec.value))}`;
  switch (spec.type) {
    case 'HOST_NAME':
      return [`acl ${name} req.hdr(host),host_only -i -m ${match} ${value}`];
    case 'PATH':
      return [`acl ${name} path -m ${match} ${value}`];
    case 'FILE_TYPE':
      return spec.compareType === 'REGEX'
        ? [`acl ${name} ${word('path,field(-1,/),regsub(^[^.]*$,),field(-1,.)')} -m reg ${value}`]
        : [`acl ${name} path -m end -- ${word(`.${String(spec.value)}`)}`];
    case 'HEADER':
      return [`acl ${name} ${word(`req.hdr(${String(spec.key)})`)} -m ${match} ${value}`];
    case 'COOKIE':
      return [`acl ${name} ${word(`req.cook(${String(spec.key)})`)} -m ${match} ${value}`];
    case 'SSL_CONN_HAS_CERT':
      return [`acl ${name} ssl_c_used`];
    case 'SSL_VERIFY_RESULT':
      return [`acl ${name} ssl_c_verify ${Number(spec.value)}`];
    default:
      return [`acl ${name} ${word(`ssl_c_s_dn(${String(spec.key)})`)} -m ${match} ${value}`];
  }
}
