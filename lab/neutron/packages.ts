// The Debian packages that Neutron 21, networking-sfc 15 and Keystone 22 import, directly or indirectly: determined from the files of all their
// dependencies that Python compiled while both were used. Measured on Debian 12: 125 packages, 15 MB to download (1 to 6 s), 114
// MB unpacked (2 s). They are unpacked into a folder, not installed: nothing is started, and the machine's own Python packages
// are neither used nor changed.

import { mkdir, rm } from 'node:fs/promises';
import { type ProgramResult, runProgram } from '../../embedded/run-program.ts';

/** Required on the machine: the interpreter that the packages are built for, with its complete library. */
export const SYSTEM_PACKAGES = ['python3', 'python3-distutils'] as const;

export const PACKAGES: readonly string[] = `
  keystone libyaml-0-2 neutron-common python3-alembic python3-anyjson python3-appdirs python3-attr
  python3-bcrypt python3-binary-memcached python3-blinker python3-certifi python3-cffi python3-cffi-backend
  python3-chardet python3-charset-normalizer python3-click python3-cryptography python3-dateutil
  python3-debtcollector python3-decorator python3-defusedxml python3-dnspython python3-dogpile.cache
  python3-elementpath python3-eventlet python3-fasteners python3-flask python3-flask-restful python3-futurist
  python3-greenlet python3-idna python3-importlib-metadata python3-importlib-resources python3-iso8601
  python3-itsdangerous python3-jaraco.classes python3-jinja2 python3-jmespath python3-json-pointer
  python3-jsonpatch python3-jsonschema python3-keyring python3-keystone python3-keystoneauth1
  python3-keystoneclient python3-keystonemiddleware python3-mako python3-markupsafe python3-memcache
  python3-migrate python3-monotonic python3-more-itertools python3-msgpack python3-munch python3-netaddr
  python3-netifaces python3-networking-sfc python3-neutron python3-neutron-lib python3-novaclient python3-oauthlib python3-openssl
  python3-openstacksdk python3-os-ken python3-os-service-types python3-os-traits python3-oslo.cache
  python3-oslo.concurrency python3-oslo.config python3-oslo.context python3-oslo.db python3-oslo.i18n
  python3-oslo.log python3-oslo.messaging python3-oslo.metrics python3-oslo.middleware python3-oslo.policy
  python3-oslo.privsep python3-oslo.reports python3-oslo.rootwrap python3-oslo.serialization
  python3-oslo.service python3-oslo.utils python3-oslo.versionedobjects python3-osprofiler
  python3-packaging python3-passlib python3-paste python3-pastedeploy python3-pbr python3-pecan
  python3-pkg-resources python3-ply python3-prettytable python3-prometheus-client python3-psutil python3-pycadf
  python3-pycparser python3-pyroute2 python3-pyrsistent python3-pysaml2 python3-repoze.lru python3-requests
  python3-requestsexceptions python3-rfc3986 python3-routes python3-setproctitle python3-setuptools
  python3-simplejson python3-six python3-sqlalchemy python3-sqlparse python3-statsd python3-stevedore
  python3-tempita python3-tz python3-uhashring python3-urllib3 python3-wcwidth python3-webob python3-werkzeug
  python3-wrapt python3-xmlschema python3-yaml python3-yappi python3-zipp
`
  .trim()
  .split(/\s+/);

const DOWNLOAD_TIMEOUT_MS = 300_000;
const UNPACK_TIMEOUT_MS = 180_000;

/**
 * Downloads the packages into a folder next to `prefix` and unpacks them in `prefix`, as if that were the root folder. `apt-get download` checks them
 * against the signed lists, needs no root, and is independent of the installed packages.
 */
export async function unpackPackages(names: readonly string[], prefix: string, signal?: AbortSignal): Promise<void> {
  const downloads = `${prefix}.downloads`;
  await mkdir(downloads, { recursive: true });
  await mkdir(prefix, { recursive: true });
  let downloaded = await download(names, downloads, signal);
  if (downloaded.exitCode !== 0 && process.getuid?.() === 0) {
    // Images often have no lists for apt, or old ones.
    await runProgram('apt-get', ['update', '--quiet'], options(DOWNLOAD_TIMEOUT_MS, signal));
    downloaded = await download(names, downloads, signal);
  }
  if (downloaded.exitCode !== 0) {
    throw new Error(`${names[0]} and its packages could not be downloaded: ${downloaded.stderr.trim().slice(-2_000)}`);
  }
  const unpack = 'for package in "$1"/*.deb; do dpkg --extract "$package" "$2" || exit; done';
  const unpacked = await runProgram('sh', ['-c', unpack, 'sh', downloads, prefix], options(UNPACK_TIMEOUT_MS, signal));
  if (unpacked.exitCode !== 0)
    throw new Error(`${names[0]} and its packages could not be unpacked: ${unpacked.stderr}`);
  await rm(downloads, { recursive: true });
}

function download(names: readonly string[], folder: string, signal?: AbortSignal): Promise<ProgramResult> {
  // apt's download user may have no access to the folder.
  const asRoot = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
  const fetch = 'cd "$1" && shift && exec apt-get "$@"';
  const args = [...asRoot, 'download', '--quiet', ...names];
  return runProgram('sh', ['-c', fetch, 'sh', folder, ...args], options(DOWNLOAD_TIMEOUT_MS, signal));
}

function options(timeoutMs: number, signal: AbortSignal | undefined) {
  return { timeoutMs, ...(signal === undefined ? {} : { signal }) };
}
