// The rule with the longest suffix decides who may make a name.
import { expect, test } from '@jest/globals';
import { projectLabels, rulingOf, type ZoneRule } from '../../../dns/ownership/name-rules.ts';

const zone = 'z.test';
const alpha = { id: 'a', name: 'alpha' };
const beta = { id: 'b', name: 'beta' };
const projects = new Map([alpha, beta].map(({ id, name }) => [name, id]));

const may = (rules: readonly ZoneRule[], name: string, project = alpha) => {
  const ruling = rulingOf(rules, { name, zone, project }, projects);
  return ruling.allowed ? (ruling.delegated === '' ? 'yes' : `by ${ruling.delegated}`) : 'no';
};

const every: readonly ZoneRule[] = [{ suffix: zone, projectIds: null }];
const both: readonly ZoneRule[] = [...every, { suffix: zone, projectIds: ['a'] }];
const parts: readonly ZoneRule[] = [
  { suffix: zone, projectIds: ['a'] },
  { suffix: `login.${zone}`, projectIds: ['b'] },
  { suffix: `shared.${zone}`, projectIds: null, allows: ['OUTSIDE_PROJECT'] },
];
const kinds: readonly ZoneRule[] = [{ suffix: zone, projectIds: ['a'], allows: ['APEX', 'WILDCARDS', 'UNDERSCORES'] }];

test.each([
  // Every project has PROJECT.SUFFIX, and no other names.
  [every, 'web.alpha.z.test', alpha, 'yes'],
  [every, 'alpha.z.test', alpha, 'yes'],
  [every, 'web.z.test', alpha, 'no'],
  [every, 'web.beta.z.test', alpha, 'no'],
  [every, 'web.notalpha.z.test', alpha, 'no'],
  [every, 'web.alpha.other.test', alpha, 'no'],
  [[], 'web.alpha.z.test', alpha, 'yes'],
  [[], 'web.z.test', alpha, 'no'],
  // A right by name reaches further, but not into another project's names.
  [both, 'web.z.test', alpha, 'by z.test'],
  [both, 'x.free.z.test', alpha, 'by z.test'],
  [both, 'beta.z.test', alpha, 'no'],
  [both, 'x.beta.z.test', alpha, 'no'],
  [both, 'x.beta.z.test', beta, 'yes'],
  // The longest suffix decides, even against the owner of the rest.
  [parts, 'a.login.z.test', alpha, 'no'],
  [parts, 'login.z.test', alpha, 'no'],
  [parts, 'a.login.z.test', beta, 'by login.z.test'],
  [parts, 'a.z.test', beta, 'no'],
  [parts, 'a.shared.z.test', beta, 'yes'],
  [parts, 'a.shared.z.test', alpha, 'yes'],
  [parts, 'notlogin.z.test', alpha, 'by z.test'],
  // The required content of a right.
  [parts, 'z.test', alpha, 'no'],
  [parts, '*.a.z.test', alpha, 'no'],
  [parts, '_acme-challenge.a.z.test', alpha, 'no'],
  [parts, 'a._tcp.z.test', alpha, 'no'],
  [kinds, 'z.test', alpha, 'by z.test'],
  [kinds, '*.z.test', alpha, 'by z.test'],
  [kinds, '*.a.z.test', alpha, 'by z.test'],
  [kinds, '_acme-challenge.a.z.test', alpha, 'by z.test'],
  [kinds, 'z.test', beta, 'no'],
  [[{ suffix: zone, projectIds: [] }], 'a.alpha.z.test', alpha, 'no'],
] as const)('%j: %s by %j: %s', (rules, name, project, expected) => {
  expect(may(rules, name, project)).toBe(expected);
});

test.each([
  [both, 'x.beta.z.test', /^x\.beta\.z\.test is in beta\.z\.test, which belongs to the project beta; in the zone/],
  [parts, 'a.login.z.test', /^a\.login\.z\.test is in login\.z\.test, which belongs to another project; in the zone/],
  [
    [{ suffix: zone, projectIds: [] }],
    'a.z.test',
    /^a\.z\.test is in z\.test, which belongs to no project; in the zone/,
  ],
  [every, 'web.notalpha.z.test', /^in the zone z\.test this project may create names that end in alpha\.z\.test/],
] as const)('a refusal of %j names the owner of %s', (rules, name, expected) => {
  const ruling = rulingOf(rules, { name, zone, project: alpha }, projects);
  expect(ruling.allowed ? 'allowed' : ruling.reason).toMatch(expected);
});

test('only labels right below the suffix of a right for every project may stand for projects', () => {
  expect(projectLabels(both, { name: '*.x.beta.z.test', zone })).toEqual(['beta']);
  expect(projectLabels(parts, { name: 'x.beta.z.test', zone })).toEqual([]);
});
