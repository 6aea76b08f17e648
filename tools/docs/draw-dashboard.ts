// Draws the pictures of the dashboard in docs/pictures: starts the product with its lab, makes objects of each domain, lets one site die, and takes
// the start page in Chromium, light and dark. As root, with the packages of these parts of the lab: `npm run docs:screens [-- --chromium PATH]`.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, logIn } from './dashboard-browser.ts';
import { LabProduct } from './lab-product.ts';
import { dashboardPicture } from './pictures.ts';

const pictures = join(import.meta.dirname, '../../docs/pictures');
const { parts, files, size, mostBytes, texts } = dashboardPicture;

async function makeObjects(product: LabProduct): Promise<void> {
  const { WEB1, WEB2, WEB3 } = await product.variables('balancers');
  for (const name of ['shop', 'blog']) {
    const members = [WEB1, WEB2, WEB3].flatMap((host) => ['--member', `${host}:80`]);
    const more = ['--check', 'http:/', '--nodes', '2', '--cmp', 'tenant/42'];
    await product.run('loadbalancers', 'create', name, '--http', '80', ...members, ...more);
  }
  const { EU, US, AP, WEB_PORT, CLIENTS } = await product.variables('sites');
  const members = Object.entries({ eu: EU, us: US, ap: AP }).map(([name, address]) => ({
    ...{ name, memberRegion: name, addresses: [address], servicePort: Number(WEB_PORT) },
  }));
  const variables = {
    ...{ key: 'picture', fqdn: 'shop.gslb.lab.test', members },
    clientBlocks: [{ cidr: CLIENTS, region: 'eu' }],
  };
  await product.run('gql', 'docs/examples/gslb-name.graphql', '--variables', JSON.stringify(variables));
  await product.run('events', 'wait', '--kind', 'gslb.operatingStatus', '--to', 'ONLINE');
  for (const last of [7, 8, 9]) {
    const content = JSON.stringify({ set: 'blocked', address: `203.0.113.${last}` });
    await product.run('call', 'lab-firewall', 'setElement.add', '--arguments', content, '--cmp', 'tenant/42');
  }
  await product.run('lab', 'kill', 'us-web');
  await product.run('events', 'wait', '--kind', 'gslb.operatingStatus', '--to', 'DEGRADED');
}

/** Hides the events that the page's lower edge would cut. */
const hideCutLines = `for (const line of document.querySelectorAll('.feed li')) {
  const { bottom } = line.closest('.scroll, section, .panel').getBoundingClientRect();
  if (line.getBoundingClientRect().bottom > Math.min(bottom, window.innerHeight)) line.style.visibility = 'hidden';
}`;

async function draw(product: LabProduct, chromium: string): Promise<void> {
  const browser = await launch(chromium);
  try {
    for (const [colorScheme, file] of Object.entries(files) as ['light' | 'dark', string][]) {
      const page = await browser.newPage({ viewport: size, colorScheme, locale: 'en-GB', timezoneId: 'UTC' });
      await page.goto(product.url);
      await logIn(page, product.password);
      for (const text of texts) await page.getByText(text).first().waitFor();
      await page.evaluate(hideCutLines);
      await page.screenshot({ path: join(pictures, file) });
      await page.close();
      const { size: bytes } = await stat(join(pictures, file));
      if (bytes > mostBytes) throw new Error(`docs/pictures/${file} has ${bytes} bytes: at most ${mostBytes}`);
      console.log(`docs/pictures/${file}`);
    }
  } finally {
    await browser.close();
  }
}

const { values } = parseArgs({ options: { chromium: { type: 'string', default: '/usr/bin/chromium' } } });
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
await mkdir(pictures, { recursive: true });
const product = await LabProduct.start(parts, ending.signal);
try {
  await makeObjects(product);
  await draw(product, values.chromium);
} finally {
  await product.stop();
}
