// The firewall's own configuration: Apache with ModSecurity and the Core Rule Set, and for each site a folder with its engine
// mode and custom rules, which administration changes; the layout expected by the driver modsecurity.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../../embedded/find-program.ts';

export interface WafSite {
  readonly name: string;
  /** SecRuleEngine of the ModSecurity reference manual (v2.x). */
  readonly mode: 'On' | 'DetectionOnly' | 'Off';
}

const MODULES = '/usr/lib/apache2/modules';

/** Writes what is missing below `folder`, which becomes /etc/apache2, and the server's settings; `port` is on the loopback. */
export async function writeSettings(folder: string, port: number, sites: readonly WafSite[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'apache2.conf'), serverSettings(port, sites));
  for (const { name, mode } of sites) {
    const site = join(folder, 'waf', 'sites', name);
    if (await pathExists(join(site, 'mode.conf'))) continue;
    await mkdir(join(site, 'rules'), { recursive: true });
    await writeFile(join(site, 'mode.conf'), `SecRuleEngine ${mode}\n`);
  }
}

/** Apache 2.4: few processes, each with few threads. The sites' pages are in /run/device/www. */
function serverSettings(port: number, sites: readonly WafSite[]): string {
  const modules = ['mpm_event', 'authz_core', 'dir', 'unique_id', 'security2'];
  return `${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerRoot /etc/apache2
ServerName waf.lab
PidFile /run/apache2/apache2.pid
DefaultRuntimeDir /run/apache2
ErrorLog /run/device/error.log
LogLevel warn
Listen 127.0.0.1:${port}
User www-data
Group www-data
StartServers 1
ServerLimit 4
ThreadsPerChild 8
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32

SecRuleEngine Off
SecRequestBodyAccess On
SecTmpDir /run/apache2
SecDataDir /run/apache2
Include /etc/modsecurity/crs/crs-setup.conf
Include /usr/share/modsecurity-crs/rules/*.conf

<Directory /run/device/www>
  Require all granted
</Directory>
${sites.map(({ name }) => siteSettings(name, port)).join('')}`;
}

function siteSettings(name: string, port: number): string {
  return `
<VirtualHost 127.0.0.1:${port}>
  ServerName ${name}
  DocumentRoot /run/device/www
  Include /etc/apache2/waf/sites/${name}/mode.conf
  IncludeOptional /etc/apache2/waf/sites/${name}/rules/*.conf
</VirtualHost>
`;
}
