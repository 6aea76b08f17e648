// docs/runbook.md has a section for each rule for Prometheus and each condition of alert rules, and no other, and each alert leads to its own.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { runbookOf } from '../../subgraphs/system/rules/alerts/message.ts';
import { alertConditionNames } from '../../subgraphs/system/spec/alert-conditions.ts';
import { anchorsOf } from './support/markdown-links.ts';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly annotations: Readonly<Record<string, string>> }[];
  }[];
}

const read = (file: string): Promise<string> => readFile(join(import.meta.dirname, '../..', file), 'utf8');
const page = await read('docs/runbook.md');
const rules = (parse(await read('docker/prometheus/tidegate.rules.yml')) as Rules).groups.flatMap(
  (group) => group.rules,
);

/** The sections below a heading: titles and texts. */
function sectionsBelow(heading: string): readonly { readonly title: string; readonly text: string }[] {
  const chapter = page.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return chapter
    .split(/^### /m)
    .slice(1)
    .map((each) => ({ title: each.slice(0, each.indexOf('\n')), text: each.slice(each.indexOf('\n')) }));
}

const titlesBelow = (heading: string) =>
  sectionsBelow(heading)
    .map(({ title }) => title)
    .sort();

test('each rule and each condition has its section, and each section its rule or condition', () => {
  expect(rules.length).toBeGreaterThan(10);
  expect(titlesBelow('Rules for Prometheus')).toEqual(rules.map(({ alert }) => alert).sort());
  expect(titlesBelow('Conditions of alert rules')).toEqual([...alertConditionNames].sort());
});

test('each alert leads to its section', () => {
  const anchors = anchorsOf(page);
  const led = [
    ...rules.map(({ alert, annotations: { runbook } }) => ({ alert, runbook })),
    ...alertConditionNames.map((condition) => ({ alert: condition, runbook: runbookOf(condition) })),
  ];
  for (const { alert, runbook } of led)
    expect({ alert, runbook }).toEqual({ alert, runbook: `docs/runbook.md#${alert.toLowerCase()}` });
  expect(led.filter(({ alert }) => !anchors.has(alert.toLowerCase()))).toEqual([]);
});

test('each section says the effect for users, where to look with a command or a metric, and what mends it', () => {
  const sections = ['By symptom', 'Rules for Prometheus', 'Conditions of alert rules'].flatMap(sectionsBelow);
  const wanted = /^\n\n\*\*Users:\*\* \S[\s\S]*\n\n\*\*Look:\*\* [\s\S]*`[\s\S]*\n\n\*\*Mend:\*\*\s+\S/;
  expect(sections.length).toBeGreaterThan(30);
  expect(sections.filter(({ text }) => !wanted.test(text)).map(({ title }) => title)).toEqual([]);
});
