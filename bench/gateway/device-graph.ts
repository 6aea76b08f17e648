// Devices over three subgraphs. One request fans out to 50 of them, and another asks for one. Every value follows from the device's number
// and the request's variables. These rarely repeat, so that no cache of answers helps.
import type { BenchGraph, Service, Workload } from './workload.ts';

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';

interface Reference {
  readonly id: string;
}

const models = ['edge-100', 'edge-200', 'core-900'];
const statuses = ['ONLINE', 'DEGRADED', 'ERROR'];
const startMs = Date.UTC(2026, 0, 1);

function device(number: number) {
  const site = number % 40;
  return {
    id: `device-${number}`,
    name: `device number ${number}`,
    model: models[number % models.length],
    address: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    site: { name: `site-${site}`, city: `City ${site % 7}` },
  };
}

function numberOf(reference: Reference): number {
  return Number(reference.id.slice('device-'.length));
}

const services: readonly Service[] = [
  {
    name: 'inventory',
    sdl: `${link}
      type Site { name: String! city: String! }
      type Device @key(fields: "id") { id: ID! name: String! model: String! address: String! site: Site! }
      type Query { devices(first: Int!, from: Int!): [Device!]! }`,
    resolvers: {
      Query: {
        devices: (_: unknown, { first, from }: { first: number; from: number }) =>
          Array.from({ length: first }, (_item, index) => device(from + index)),
      },
      Device: { __resolveReference: (reference: Reference) => device(numberOf(reference)) },
    },
  },
  {
    name: 'health',
    sdl: `${link}
      enum Status { ONLINE DEGRADED ERROR }
      type Health { status: Status! latencyMs: Float! checkedAt: String! }
      type Device @key(fields: "id") { id: ID! health: Health }`,
    resolvers: {
      Device: {
        __resolveReference: ({ id }: Reference) => ({ id }),
        health: (reference: Reference) => {
          const number = numberOf(reference);
          return {
            status: statuses[number % 11 === 0 ? 2 : number % 5 === 0 ? 1 : 0],
            latencyMs: (number % 1000) / 8,
            checkedAt: new Date(startMs + number * 1000).toISOString(),
          };
        },
      },
    },
  },
  {
    name: 'traffic',
    sdl: `${link}
      type Traffic { receivedBytes: Int! sentBytes: Int! errors: Int! }
      type Device @key(fields: "id") { id: ID! traffic(windowSeconds: Int!): Traffic }`,
    resolvers: {
      Device: {
        __resolveReference: ({ id }: Reference) => ({ id }),
        traffic: (reference: Reference, { windowSeconds }: { windowSeconds: number }) => {
          const number = numberOf(reference);
          return {
            receivedBytes: (number % 9973) * windowSeconds,
            sentBytes: (number % 7919) * windowSeconds,
            errors: number % 3,
          };
        },
      },
    },
  },
];

interface Variables {
  readonly from: number;
  readonly windowSeconds: number;
}

function workloadOf(devices: number): Workload {
  return {
    query: `query Devices($from: Int!, $windowSeconds: Int!) {
  devices(first: ${devices}, from: $from) {
    id
    name
    model
    address
    site { name city }
    health { status latencyMs checkedAt }
    traffic(windowSeconds: $windowSeconds) { receivedBytes sentBytes errors }
  }
}`,
    variables: () => ({
      from: Math.floor(Math.random() * 1_000_000),
      windowSeconds: 1 + Math.floor(Math.random() * 3600),
    }),
    // All fields of the last device.
    isWhole(answer, variables) {
      const { from, windowSeconds } = variables as unknown as Variables;
      const last = from + devices - 1;
      return (
        !answer.includes('"errors":[') &&
        answer.includes(`"device-${last}"`) &&
        answer.includes(new Date(startMs + last * 1000).toISOString()) &&
        answer.includes(`"receivedBytes":${(last % 9973) * windowSeconds}`)
      );
    },
  };
}

export const deviceGraph: BenchGraph = {
  services,
  workloads: { fanout: workloadOf(50), single: workloadOf(1) },
  small: { leaf: 'id', of: (fields) => `{ devices(first: 1, from: 1) { ${fields} } }` },
};
