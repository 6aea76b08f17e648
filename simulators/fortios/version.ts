// Differences between the simulated FortiOS versions. Sources: Fortinet community 227837 (7.6.3), 357228 (7.4.5), the release
// notes of 6.4.2 as quoted by sadrithmina.de (2024-05), reply samples in rapid7/insightconnect-plugins pull 1027 (6.2.3) and in
// Fortinet's open clients (Terraform SDK, Ansible httpapi plugin).

export interface FortiVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly build: number;
  /** For example v7.4.5. */
  readonly text: string;
}

/** Builds of releases named in vendor documents and bug reports; others are invented. */
const builds: Readonly<Record<string, number>> = {
  '5.6.8': 1672,
  '5.6.14': 1727,
  '6.2.3': 1066,
  '6.4.9': 1966,
  '7.0.12': 523,
  '7.4.5': 2702,
};

/** `text`: for example 7.4.5. */
export function parseVersion(text: string): FortiVersion {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)$/.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) throw new Error(`no FortiOS version: ${text}`);
  const numbers = { major: Number(major), minor: Number(minor), patch: Number(patch) };
  const build = builds[text] ?? numbers.major * 400 + numbers.minor * 50 + numbers.patch;
  return { ...numbers, build, text: `v${text}` };
}

function atLeast(version: FortiVersion, major: number, minor: number, patch: number): boolean {
  const left = [version.major, version.minor, version.patch];
  const right = [major, minor, patch];
  const different = left.findIndex((part, index) => part !== right[index]);
  return different === -1 || (left[different] ?? 0) > (right[different] ?? 0);
}

export interface Features {
  /** POST, PUT and DELETE /api/v2/authentication. */
  readonly authenticationEndpoint: boolean;
  /** /logincheck returns a session; without it, it still reports success. */
  readonly logincheckSession: boolean;
  /** `session_key_443_…` and `ccsrf_token_443_…` instead of `APSCOOKIE_…` and `ccsrftoken…`. */
  readonly portCookies: boolean;
  /** The reply's body contains the session key if `request_key` asks for it. */
  readonly sessionKeyInBody: boolean;
  /** `?access_token=` is refused unless rest-api-key-url-query is enabled. */
  readonly refusesTokenInQuery: boolean;
  /** Error replies have `cli_error`. */
  readonly cliError: boolean;
  /** `get system status` prints `multiple` instead of `enable`. */
  readonly vdomModeWord: boolean;
  /** /api/v2/monitor/system/status; 5.6.8 has none (prometheus-community/fortigate_exporter#158). */
  readonly statusPage: boolean;
  /** A service's protocol for ports is TCP/UDP/UDP-Lite/SCTP, and was TCP/UDP/SCTP (Fortinet's Ansible collection, by version). */
  readonly udpLite: boolean;
  /** firewall address has the type wildcard-fqdn; later versions write a wildcard as type fqdn. */
  readonly wildcardFqdnType: boolean;
}

export function featuresOf(version: FortiVersion): Features {
  return {
    authenticationEndpoint: atLeast(version, 6, 4, 2),
    logincheckSession: !atLeast(version, 7, 6, 3),
    portCookies: atLeast(version, 7, 6, 3),
    sessionKeyInBody: atLeast(version, 6, 4, 2) && !atLeast(version, 7, 6, 4),
    refusesTokenInQuery: atLeast(version, 7, 4, 5),
    cliError: atLeast(version, 7, 0, 0),
    vdomModeWord: atLeast(version, 6, 2, 0),
    statusPage: atLeast(version, 6, 0, 0),
    udpLite: atLeast(version, 7, 6, 0),
    wildcardFqdnType: !atLeast(version, 6, 2, 0),
  };
}
