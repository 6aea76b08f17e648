// Provisioning templates: command lines with arguments in angle brackets. The REST API Guide 2.7.20 names the templates but not
// their arguments, which are assumed here; a test can give them other names.

import type { JsonObject } from './json.ts';

export interface Template {
  readonly title: string;
  readonly description: string;
  readonly lines: readonly string[];
  /** For port provisioning: runs once for each port, named `<port>`. */
  readonly perPort: boolean;
}

export interface ArgumentNames {
  readonly vlan: string;
  readonly mtu: string;
  readonly speed: string;
}

export function makeTemplates({ vlan, mtu, speed }: ArgumentNames): readonly Template[] {
  const port = (title: string, description: string, ...commands: readonly string[]): Template => ({
    title,
    description,
    lines: commands.map((command) => `interface ethernet <port> ${command}`),
    perPort: true,
  });
  return [
    port('Enable-Ports', 'Enables ports', 'no shutdown'),
    port('Disable-Ports', 'Disables ports', 'shutdown'),
    port(
      'Set-Access-VLAN-Port',
      'Sets access mode and VLAN of ports',
      'switchport mode access',
      `switchport access vlan <${vlan}>`,
    ),
    port(
      'Set-Hybrid-Vlan-Port',
      'Sets hybrid mode and allows a VLAN on ports',
      'switchport mode hybrid',
      `switchport hybrid allowed-vlan add <${vlan}>`,
    ),
    port('Remove-Hybrid-Vlan-Port', 'Takes a VLAN off hybrid ports', `switchport hybrid allowed-vlan remove <${vlan}>`),
    port('Set-MTU', 'Sets the MTU of ports', `mtu <${mtu}> force`),
    port('Set-Port-Speed', 'Sets the speed of ports', `speed <${speed}> force`),
    {
      title: 'Save-Configuration',
      description: 'Saves the running configuration',
      lines: ['configuration write'],
      perPort: false,
    },
  ];
}

/** The lines with their arguments filled in; for a missing argument, its name. */
export function fillIn(
  lines: readonly string[],
  args: JsonObject,
): { readonly ok: true; readonly lines: readonly string[] } | { readonly ok: false; readonly missing: string } {
  let missing: string | undefined;
  const filled = lines.map((line) =>
    line.replaceAll(/<(\w+)>/g, (_, name: string) => {
      const value = args[name];
      if (typeof value !== 'string' && typeof value !== 'number') missing ??= name;
      return String(value);
    }),
  );
  return missing === undefined ? { ok: true, lines: filled } : { ok: false, missing };
}

export function showTemplate({ title, description, lines }: Template, whole: boolean): JsonObject {
  return {
    title,
    description,
    filePath: `/opt/neo/controller/templates/pre-defined/Mellanox/${title}`,
    owner: '*system*',
    systemProfile: 'Ethernet',
    systemType: 'Mellanox Switch',
    tags: 'Ethernet',
    validationTemplate: null,
    matchingValidationTemplate: null,
    parsingScript: null,
    ...(whole ? { content: lines.join('\n') } : {}),
  };
}
