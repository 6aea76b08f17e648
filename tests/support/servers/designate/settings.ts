// Settings of a private Designate 15 (its configuration reference, Zed): SQLite instead of a database server, no message queue, and a pool
// of one PowerDNS that transfers its zones from Designate.
import { join } from 'node:path';
import { type KeystoneAccount, REGION } from '../../../../lab/neutron/settings.ts';

interface DesignatePlaces {
  readonly folder: string;
  /** Folder of its unpacked packages. */
  readonly prefix: string;
  readonly apiPort: number;
  /**
   * PowerDNS accepts NOTIFY only from the address that it transfers from, so mdns listens at the address that it sends
   * from.
   */
  readonly mdnsPort: number;
  readonly keystone: { readonly url: string; readonly account: KeystoneAccount };
  readonly powerdns: { readonly port: number; readonly apiPort: number; readonly apiKey: string };
}

export const databaseFile = (folder: string): string => join(folder, 'designate.sqlite');

/**
 * `poll_*`: it checks at once whether PowerDNS has a change, and then each second (default: after 5 s and each 15 s). A
 * revoked token is refused after 2 s (default: 300 s).
 */
export function designateSettings({ folder, prefix, apiPort, mdnsPort, keystone }: DesignatePlaces): string {
  const { username, password, project } = keystone.account;
  return `[DEFAULT]
transport_url = fake://
state_path = ${folder}
network_api = fake
[oslo_policy]
policy_dirs = ${join(folder, 'no-policy')}
[oslo_concurrency]
lock_path = ${join(folder, 'locks')}
[storage:sqlalchemy]
connection = sqlite:///${databaseFile(folder)}
sqlite_synchronous = false
[service:api]
listen = 127.0.0.1:${apiPort}
auth_strategy = keystone
api_paste_config = ${prefix}/usr/share/designate-common/api-paste.ini
[service:mdns]
listen = 127.0.0.1:${mdnsPort}
[service:worker]
poll_delay = 0
poll_retry_interval = 1
[keystone_authtoken]
token_cache_time = 2
auth_type = password
auth_url = ${keystone.url}/v3
username = ${username}
password = ${password}
project_name = ${project}
user_domain_id = default
project_domain_id = default
region_name = ${REGION}
interface = internal
`;
}

/** As YAML, which includes JSON. */
export function designatePools({ mdnsPort, powerdns: { port, apiPort, apiKey } }: DesignatePlaces): string {
  const nameServer = { host: '127.0.0.1', port };
  const options = { ...nameServer, api_endpoint: `http://127.0.0.1:${apiPort}`, api_token: apiKey };
  const masters = [{ host: '127.0.0.1', port: mdnsPort }];
  const pool = {
    ...{ name: 'default', description: 'one PowerDNS', attributes: {}, also_notifies: [] },
    ns_records: [{ hostname: 'ns1.example.test.', priority: 1 }],
    nameservers: [nameServer],
    targets: [{ type: 'pdns4', description: 'PowerDNS', masters, options }],
  };
  return JSON.stringify([pool], null, 2);
}
