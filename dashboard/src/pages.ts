// The pages, in the order of the header's list.
import type { PageRow } from './page.ts';

export const pages: readonly PageRow[] = [
  {
    name: 'start',
    title: 'Start',
    path: '/',
    load: async (requester) => (await import('./pages/start/page.tsx')).load(requester),
  },
  { name: 'relay', title: 'Relay', load: () => import('./pages/relay/page.tsx') },
  { name: 'loadbalancer', title: 'Load balancers', load: () => import('./pages/loadbalancer/page.tsx') },
  {
    name: 'gslb',
    title: 'GSLBs',
    load: () => import('./pages/gslb/page.tsx'),
    isPresent: async (requester) => (await import('./pages/gslb/presence.ts')).isPresent(requester),
  },
  {
    name: 'objects',
    title: 'Object storage',
    load: () => import('./pages/objects/page.tsx'),
    isPresent: async (requester) => (await import('./pages/objects/presence.ts')).isPresent(requester),
  },
  {
    name: 'hosts',
    title: 'Hosts',
    load: () => import('./pages/hosts/page.tsx'),
    isPresent: async (requester) => (await import('./pages/hosts/presence.ts')).isPresent(requester),
  },
  { name: 'backend', title: 'Backend', isListed: false, load: () => import('./pages/backend/page.tsx') },
  { name: 'container', title: 'Container', isListed: false, load: () => import('./pages/container/page.tsx') },
  { name: 'form', title: 'Form', isListed: false, load: () => import('./pages/form/page.tsx') },
  { name: 'register', title: 'Register a backend', isListed: false, load: () => import('./pages/register/page.tsx') },
  { name: 'cmp', title: 'CMP objects', isInMenu: true, load: () => import('./pages/cmp/page.tsx') },
  { name: 'alerts', title: 'Alerts', load: () => import('./pages/alerts/page.tsx') },
  { name: 'people', title: 'People', isInMenu: true, load: () => import('./pages/people/page.tsx') },
  { name: 'audit', title: 'Audit', isInMenu: true, load: () => import('./pages/audit/page.tsx') },
  { name: 'deleted', title: 'Deleted', isInMenu: true, load: () => import('./pages/deleted/page.tsx') },
];
