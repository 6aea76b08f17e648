// Readers of this driver's objects: rules, and the mode of a site.

import type { ExecReply, ResourceFinding, ResourceReader } from '../driver.ts';
import { given } from '../json.ts';
import { markersOf } from '../mark.ts';
import { configRootOf } from './options.ts';
import { readAnswer, type Section, sectionsOf } from './replies.ts';
import { readRule } from './rule-text.ts';
import { site as siteSchema } from './schema.ts';
import { run } from './scripts.ts';
import { readMode } from './sites.ts';

function lookAt(reply: ExecReply, read: (section: Section) => ResourceFinding): ResourceFinding {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused' && answer.code === 'NOT_FOUND') return { finding: 'ABSENT' };
  if (answer.kind !== 'done') return { finding: 'UNREADABLE', message: answer.message };
  const [section] = sectionsOf(answer.lines);
  return section ? read(section) : { finding: 'UNREADABLE', message: "The device's answer is empty." };
}

const rule: ResourceReader<ExecReply> = {
  // ModSecurity Reference Manual v2.x: transformations are applied one after the other, variables are alternatives.
  lists: { variables: 'SET', transformations: 'ORDERED' },
  // By the sum an adopted rule is recognised, whatever is in its file.
  own: ['fileSha256'],
  render: ({ scope, key }, context) => run('ruleRead', [configRootOf(context), scope, key]),
  interpret: (reply, { scope }) =>
    lookAt(reply, ({ text, sum }) => {
      const { operationId, values = { native: text.slice(0, 4_096) } } = readRule(text);
      const mark = operationId === undefined ? {} : { operationId };
      return { finding: 'PRESENT', ...mark, values: { site: scope, ...values, fileSha256: sum } };
    }),
  remove: ({ scope, key, ...object }) => {
    const made = markersOf(object);
    const which = made === undefined ? { fileSha256: object.recorded?.fileSha256 } : { madeBy: made };
    // Adopted by a version that kept no sum.
    if (made === undefined && object.recorded !== undefined && which.fileSha256 === undefined) return undefined;
    return { operation: 'rule.delete', arguments: given({ site: scope, id: Number(key), ...which }) };
  },
};

const site: ResourceReader<ExecReply> = {
  lists: {},
  own: [],
  render: ({ key }, context) => run('siteRead', [configRootOf(context), key, 'mode']),
  interpret: (reply, { key }) =>
    lookAt(reply, ({ text }) => {
      const { mode, operationId } = readMode(text);
      const mark = operationId === undefined ? {} : { operationId };
      return { finding: 'PRESENT', ...mark, values: { site: key, mode: mode ?? null } };
    }),
  names: new RegExp(siteSchema.pattern),
};

export const resources = { rule, site };
