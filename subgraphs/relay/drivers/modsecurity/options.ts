// Paths on the device.

import type { RenderContext } from '../driver.ts';

export const configRoot = {
  type: 'string',
  pattern: '^(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+$',
  maxLength: 200,
  default: '/etc/apache2/waf',
  description:
    'The folder that contains sites/SITE/mode.conf and sites/SITE/rules/. The configuration of each virtual host includes them.',
} as const;

export function configRootOf({ backend }: RenderContext): string {
  return String(backend.options.configRoot ?? configRoot.default);
}
