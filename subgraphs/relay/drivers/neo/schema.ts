// Parts of the operations' JSON Schemas. Values for a switch's command line or a template have only characters without special
// meaning there.

/** NEO identifies its switches by their IPv4 addresses. */
export const device = {
  type: 'string',
  maxLength: 15,
  format: 'address',
  pattern: '^[0-9.]+$',
  description: 'The IPv4 address of the switch in NEO.',
} as const;

/** The most addresses that a mapping's scope can hold. */
export const devices = {
  type: 'array',
  items: device,
  minItems: 1,
  maxItems: 16,
  uniqueItems: true,
  description: 'The IPv4 addresses of the switches in NEO, at most 16 in one call.',
} as const;

export const vlan = { type: 'integer', minimum: 1, maximum: 4_094 } as const;

export const port = {
  type: 'string',
  maxLength: 12,
  pattern: '^([Ee]th)?[0-9]{1,2}/[0-9]{1,3}(/[0-9]{1,2})?$',
  description: 'A port, for example 1/4 or Eth1/4.',
} as const;

export const jobId = {
  type: 'string',
  maxLength: 20,
  pattern: '^[0-9]{1,15}(\\.[0-9]{1,4})?$',
  description: 'The id of a job, for example 35, or of its sub-job for one switch, for example 35.1.',
} as const;

export const templateName = {
  type: 'string',
  maxLength: 100,
  pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$',
  description: 'The name of the template, for example Set-Access-VLAN-Port.',
} as const;

/** By the names in template.get. */
export const templateArguments = {
  type: 'object',
  maxProperties: 32,
  propertyNames: {
    pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$',
    description: '1 to 64 letters, digits and underscores, no digit first.',
  },
  additionalProperties: {
    anyOf: [
      { type: 'integer' },
      {
        type: 'string',
        maxLength: 255,
        pattern: '^[A-Za-z0-9 ._:/,@+-]*$',
        description: 'Letters, digits, spaces and . _ : / , @ + -',
      },
    ],
  },
  default: {},
  description: "The template's arguments, with the names that its text uses.",
} as const;
