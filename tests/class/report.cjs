// usage: report.cjs OUT      OUT: what `class report` made of a class of at least 20 students and lesson 02, as synthetic.py makes one
// Opens the pages as a browser does; prints what is wrong with them, status 1 if anything is. Environment: BROWSER.
const fs = require('fs');
const puppeteer = require('puppeteer-core');

const CONTRAST = 4.5, WIDTHS = [400, 1280], MOST_BYTES = 5e6;
const ELEMENTS = new Set(`html head meta title style body a main h1 h2 h3 h4 section p strong ul ol li bdi br dl div dt dd figure figcaption svg
  rect text path details summary label input output table thead tbody tfoot tr th td button pre code script span`.split(/\s+/));

const out = fs.realpathSync(process.argv[2]), wrong = new Set();
const students = fs.readdirSync(`${out}/students`);

// In the browser: elements, attributes and links that are none of ours, and scripts that ran.
function strangers(elements) {
  const found = [], known = new Set(elements);
  for (const element of document.querySelectorAll('*')) {
    if (!known.has(element.localName)) found.push(`element ${element.localName}`);
    for (const { name, value } of element.attributes) {
      if (name.startsWith('on') || name === 'style' || name === 'src') found.push(`attribute ${name}`);
      if (name === 'href' && !/^(#[a-z0-9-]+|(students\/)?[a-z0-9-]+\.html(#l\d\d)?|\.\.\/report\.html|grades\.csv)$/.test(value)) found.push(`link ${value}`);
    }
  }
  const count = (selector) => document.querySelectorAll(selector).length;
  if (count('meta') !== 4) found.push(`${count('meta')} meta elements`);
  if (count('style') !== 1 || count('script') > 1) found.push('more than one style or script');
  if (count('svg') !== count('figure')) found.push('a picture that is none of ours');
  if (/[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000e-\u001f]/.test(document.documentElement.textContent)) found.push('characters that control or turn');
  if (window.pwned !== undefined) found.push(`a script ran: ${window.pwned}`);
  return found;
}

// In the browser: what would happen if something got through all the same? Both are refused at once.
function secondWall() {
  const refused = [], script = document.createElement('script');
  script.textContent = 'window.pwned = "inline script"';
  document.body.append(script);
  document.body.setAttribute('onclick', 'window.pwned = "attribute"');
  document.body.click();
  document.body.removeAttribute('onclick');
  script.remove();
  if (window.pwned !== undefined) refused.push(`the policy lets a script run: ${window.pwned}`);
  return refused;
}

// In the browser: text that is too pale. (WCAG 2.1: relative luminance and contrast ratio)
function pale(CONTRAST) {
  const found = new Set(), numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (c) => {
    const [r, g, b] = [c[0], c[1], c[2]].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if ((colour[3] ?? 1) === 1) return colour;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = texts.nextNode());) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.textContent.trim() || element.closest('script, style')) continue;
    const [high, low] = [numbers(element.closest('svg') ? style.fill : style.color), background(element)].map(luminance).sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < CONTRAST) found.add(`contrast ${ratio.toFixed(1)}: ${node.textContent.trim().slice(0, 30)}`);
  }
  return [...found];
}

const column = (page, number, table = '.grades') => page.$$eval(`${table} tbody tr`, (rows, n) =>
  rows.filter((row) => !row.hidden).map((row) => row.cells[n].textContent.trim()), number);
const expect = (truth, text) => truth || wrong.add(text);

async function everyPage(page) {
  for (const name of ['report.html', ...students.map((student) => `students/${student}`)]) {
    await page.goto(`file://${out}/${name}`, { waitUntil: 'load' });
    for (const text of await page.evaluate(strangers, [...ELEMENTS])) wrong.add(`${name}: ${text}`);
  }
  for (const name of ['report.html', `students/${students[0]}`]) {
    await page.goto(`file://${out}/${name}`, { waitUntil: 'load' });
    for (const text of await page.evaluate(secondWall)) wrong.add(`${name}: ${text}`);
    expect(fs.statSync(`${out}/${name}`).size < MOST_BYTES, `${name} is too large`);
  }
}

async function looks(page) {
  for (const width of WIDTHS) for (const scheme of ['light', 'dark']) for (const name of ['report.html', `students/${students[0]}`]) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.goto(`file://${out}/${name}`, { waitUntil: 'load' });
    await page.$$eval('details', (all) => all.forEach((details) => { details.open = true; }));
    expect(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${name} is wider than ${width} px`);
    for (const text of await page.evaluate(pale, CONTRAST)) wrong.add(`${name}, ${scheme}: ${text}`);
  }
}

async function keyboard(page) {
  await page.goto(`file://${out}/report.html`, { waitUntil: 'load' });
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement.className === 'skip' && document.activeElement.getBoundingClientRect().left >= 0),
    'the first Tab does not show the skip link');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => location.hash === '#main'), 'the skip link does not skip');
  const stops = await page.$$eval('a, button, input, summary, [tabindex]', (all) => all.filter((one) => one.checkVisibility()).length);
  expect(stops < students.length + 120, `Tab stops ${stops} times`);
  for (const [button, first, numeric] of [[1, 'descending', true], [0, 'ascending', false]]) {
    await page.focus(`.grades [data-sort="${button}"]`);
    for (const order of [first, first === 'ascending' ? 'descending' : 'ascending']) {
      await page.keyboard.press('Enter');
      const cells = await column(page, button), value = (text) => (numeric ? parseFloat(text.replace('ERROR', '-1')) : text);
      const sorted = [...cells].sort((a, b) => numeric ? value(a) - value(b) : a.localeCompare(b, undefined, { numeric: true, sensitivity: 'base' }));
      if (order === 'descending') sorted.reverse();
      expect(cells.map(value).join('\n') === sorted.map(value).join('\n'), `column ${button} is not sorted, ${order}`);
      expect(await page.$eval(`.grades th:nth-child(${button + 1})`, (head) => head.getAttribute('aria-sort')) === order, `aria-sort is not ${order}`);
    }
  }
}

async function search(page) {
  const names = await column(page, 0), wanted = (name) => name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().includes('zoe');
  await page.focus('#search');
  await page.keyboard.type('ZOE');
  for (const table of ['.grades', '#l02 .matrix']) {
    const left = await column(page, 0, table);
    expect(left.length === names.filter(wanted).length && left.length > 0 && left.every(wanted), `the search leaves ${left.length} rows of ${table}`);
  }
  const said = await page.$eval('output', (output) => output.textContent);
  expect(said === `${names.filter(wanted).length} of ${names.length} students`, `the search says "${said}"`);
  for (let i = 0; i < 3; i++) await page.keyboard.press('Backspace');
  expect((await column(page, 0)).length === names.length, 'an empty search hides rows');
}

async function matrix(page) {
  await page.setViewport({ width: 1280, height: 500 });
  await page.goto(`file://${out}/report.html#m02-1`, { waitUntil: 'load' });
  expect(await page.$eval('#l02', (details) => details.open), 'a link to a folded mistake does not unfold it');
  const stuck = await page.$eval('#l02 .bounded', (region) => {
    region.scrollTo(200, 200);
    const frame = region.getBoundingClientRect(), [first, second] = region.querySelectorAll('thead tr');
    const heads = [...first.cells, ...second.cells].map((head) => head.getBoundingClientRect().top - frame.top);
    const names = [...region.querySelectorAll('tbody th')].map((name) => name.getBoundingClientRect().left - frame.left);
    return region.scrollTop === 200 && region.scrollLeft === 200 && heads.every((top) => top >= 0 && top < 60) && names.every((left) => Math.abs(left) <= 2);
  });
  expect(stuck, 'head or names of the matrix do not stay where they are');
  await page.$eval('#l02 .bounded', (region) => region.scrollTo(0, 0));
  const cell = await page.$('#l02 .matrix td.f');
  await cell.hover();
  const [title, head] = await cell.evaluate((td) => [td.title, td.closest('table').tHead.rows[1].cells[td.cellIndex - 2].title]);
  expect(head.includes(': ') && title === `${head}: fail`, `a cell's title is "${title}"`);
  const words = await page.$$eval('#l02 .matrix tbody td:not(.none):nth-child(n + 3)', (cells) => cells.filter((td) => !td.textContent.trim()).length);
  expect(words === 0, 'cells that only a colour tells apart');
}

async function print(page) {
  await page.emulateMediaType('print');
  const cut = await page.$$eval('.scroll, .alarm ul', (all) => all.filter((one) => one.checkVisibility() && getComputedStyle(one).overflow !== 'visible').length);
  expect(cut === 0, 'on paper, tables are cut off');
  expect(await page.$eval('.tools', (tools) => !tools.checkVisibility()), 'on paper there is a search box');
}

(async () => {
  const browser = await puppeteer.launch({ executablePath: process.env.BROWSER, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
  try {
    const page = await browser.newPage();
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      if (request.url().startsWith(`file://${out}/`)) return request.continue();
      wrong.add(`asks for ${request.url()}`);
      return request.abort();
    });
    page.on('pageerror', (error) => wrong.add(`the script fails: ${error.message}`));
    page.on('dialog', (dialog) => { wrong.add('a dialog opens'); dialog.dismiss(); });
    await everyPage(page);
    await looks(page);
    await page.setViewport({ width: 1280, height: 900 });
    await keyboard(page);
    await search(page);
    await matrix(page);
    await print(page);
  } finally {
    await browser.close();
  }
  [...wrong].forEach((text) => console.log(text));
  process.exit(wrong.size ? 1 : 0);
})();
