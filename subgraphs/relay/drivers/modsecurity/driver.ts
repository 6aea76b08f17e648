// ModSecurity 2.9 in Apache 2.4 behind OpenSSH, as in Debian 12. Changes are made in a separate folder, which each site's virtual
// host includes:
//
//   SITES/SITE/mode.conf     Include         SecRuleEngine of the site
//   SITES/SITE/rules/*.conf  IncludeOptional custom rules, a file each
//
// with SITES = `configRoot`/sites. The account needs to write that folder and to run apache2ctl.

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation, ExecReply, Health } from '../driver.ts';
import { configRoot, configRootOf } from './options.ts';
import { readAnswer } from './replies.ts';
import { resources } from './resources.ts';
import { ruleCreate, ruleDelete, ruleList } from './rules.ts';
import { run } from './scripts.ts';
import { modeSet, siteList } from './sites.ts';
import { typedCalls } from './typed-calls.ts';

const operations: readonly DriverOperation[] = [siteList, modeSet, ruleList, ruleCreate, ruleDelete];

const health: Health<ExecReply> = {
  render: (context) => run('versions', [configRootOf(context)]),
  interpret(reply) {
    const answer = readAnswer(reply);
    if (answer.kind !== 'done') return undefined;
    const text = answer.lines.join('\n');
    const apache = /^Server version: (Apache\/\S+)/m.exec(text)?.[1];
    const modsecurity = /^modsecurity (\S+)$/m.exec(text)?.[1];
    if (apache === undefined || modsecurity === undefined) return undefined;
    const serial = /^machine ([0-9a-f]{32})$/m.exec(text)?.[1] ?? null;
    return { softwareVersion: `${apache} ModSecurity/${modsecurity}`.slice(0, 255), serial };
  },
};

export const modSecurity = defineDriver({
  name: 'modsecurity',
  family: 'WAF',
  summary: 'ModSecurity 2.9 in Apache 2.4, over SSH.',
  versions: 'Apache 2.4 with ModSecurity 2.9',
  triedAgainst: 'real Apache 2.4, ModSecurity 2.9 and Core Rule Set 3.3',
  ports: { ssh: 22 },
  options: { properties: { configRoot } },
  // A script goes on without its connection: the configuration test resolves names, at most 2 x 5 s with each of 3 servers by default
  // (resolv.conf(5)), and runs again before the restart.
  actsForMs: 60_000,
  checks: "Apache's whole configuration with the change in it, as a reload would read it",
  scopeOptions: ['configRoot'],
  credentialFields: ['username', 'password', 'privateKey', 'passphrase'],
  operations,
  resources,
  ownership: {
    rule: { by: 'MARK' },
    site: { by: 'KEY', because: 'a site has one mode, and a file for it alone' },
  },
  health,
  typed: typedCalls,
});
