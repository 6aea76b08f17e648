// Linux packet filter: nft 1.0 over OpenSSH. Measured on Debian 12 (nft 1.0.6).

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation, ExecReply, Health } from '../driver.ts';
import { addressCreate, addressDelete } from './addresses.ts';
import { chainCreate, chainList, rulesetRead, tableList } from './listings.ts';
import { objectsOf, readAnswer } from './nft.ts';
import { resources } from './resources.ts';
import { ruleDelete } from './rule-deletion.ts';
import { ruleCreate, ruleList } from './rules.ts';
import { setElementAdd, setElementList, setElementRemove } from './set-elements.ts';
import { setCreate, setDelete, setList } from './sets.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';

const operations: readonly DriverOperation[] = [
  tableList,
  chainList,
  chainCreate,
  setList,
  setCreate,
  setDelete,
  addressCreate,
  addressDelete,
  setElementList,
  setElementAdd,
  setElementRemove,
  ruleList,
  ruleCreate,
  ruleDelete,
  rulesetRead,
];

/** The list of tables includes nft's version; the machine id, if there is one, follows on a separate line. */
const health: Health<ExecReply> = {
  render: () => ({ kind: 'exec', command: 'nft -j list tables && { cat /etc/machine-id 2>/dev/null || :; }' }),
  interpret(reply) {
    const [tables = '', machineId = ''] = reply.stdout.trim().split('\n');
    const answer = readAnswer({ ...reply, stdout: tables });
    const [metainfo] = answer.kind === 'objects' ? objectsOf(answer.objects, 'metainfo') : [];
    if (typeof metainfo?.version !== 'string') return undefined;
    const serial = /^[0-9a-f]{32}$/.test(machineId) ? machineId : null;
    return { softwareVersion: `nftables ${metainfo.version}`.slice(0, 255), serial };
  },
};

export const linuxNftables = defineDriver({
  name: 'linux-nftables',
  family: 'FIREWALL',
  summary: 'The packet filter of Linux (nftables), over SSH.',
  versions: 'nftables 1.0',
  triedAgainst: 'real nft 1.0.6 behind OpenSSH 9.2',
  ports: { ssh: 22 },
  checks: 'the whole call against the ruleset as it is now, in the kernel',
  credentialFields: ['username', 'password', 'privateKey', 'passphrase'],
  operations,
  resources,
  ownership: {
    chain: { by: 'KEY', because: 'a creation leaves an existing one alone, and no operation deletes one' },
    address: { by: 'MARK' },
    'address-set': { by: 'SETTINGS' },
    'address-set-element': { by: 'KEY', because: 'an element of a set is its value' },
    rule: { by: 'MARK' },
  },
  health,
  typed: typedCalls,
  objects: typedObjects,
});
