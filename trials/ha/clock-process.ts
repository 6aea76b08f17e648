// The report of the trial's witness: its clock. Argument: the settings' file
import { readFile } from 'node:fs/promises';
import { haKeys } from '../../ha/agent/keys.ts';
import { tellClock } from '../../ha/clock-teller.ts';
import { EtcdClient } from '../../ha/etcd.ts';
import { etcdUrls, type TrialSettings } from './settings.ts';

const { ca, cert, key, cluster } = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as TrialSettings;
const etcd = new EtcdClient({ urls: [...etcdUrls].reverse(), tls: { ca, cert, key }, timeoutMs: 900 });
await tellClock(etcd, haKeys(cluster).clock('w'), new AbortController().signal);
