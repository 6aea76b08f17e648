// The dashboard's page of an alert's subject.

interface Page {
  readonly path: string;
  /** The parameter that opens the subject, by its global id. Absent if the page has no place for it. */
  readonly opens?: string;
}

const pages: Readonly<Record<string, Page>> = {
  Backend: { path: 'relay', opens: 'show' },
  Mapping: { path: 'relay', opens: 'mapping' },
  RelayOperation: { path: 'relay', opens: 'operation' },
  LoadBalancer: { path: 'loadbalancer', opens: 'balancer' },
  LoadBalancerHost: { path: 'loadbalancer', opens: 'host' },
  TlsCertificate: { path: 'loadbalancer' },
  Gslb: { path: 'gslb', opens: 'gslb' },
  GslbVantagePoint: { path: 'gslb' },
  GslbNameServer: { path: 'gslb' },
  ObjectCluster: { path: 'objects', opens: 'cluster' },
  HaCluster: { path: 'hosts' },
};

/** `url`: the dashboard's address, without a slash at its end. `id` is global. */
export function dashboardLink(
  url: string | null,
  subject: { readonly type: string; readonly id: string },
): string | null {
  const page = pages[subject.type];
  if (url === null || page === undefined) return null;
  const opened = page.opens === undefined ? '' : `?${page.opens}=${encodeURIComponent(subject.id)}`;
  return `${url}/${page.path}${opened}`;
}
