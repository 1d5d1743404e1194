// usage: slides.cjs FILE      FILE: slides made by Marp with --template bare
// Prints what is wrong with how they look; status 1 if anything is. Environment: BROWSER.
const puppeteer = require('puppeteer-core');

const MOST = 25, LEAST = 15, SMALLEST_PX = 18, CONTRAST = 4.5;

// In the browser: what is wrong with each slide.
function inspect({ SMALLEST_PX, CONTRAST }) {
  const found = [];
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  // WCAG 2.1, relative luminance and contrast ratio
  const luminance = (c) => {
    const [r, g, b] = [c[0], c[1], c[2]].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const background = (element) => {
    for (; element; element = element.parentElement) {
      const colour = rgba(getComputedStyle(element).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba('white');
  };
  const pictures = [];
  const slides = [...document.querySelectorAll('section')];
  slides.forEach((slide, index) => {
    const say = (text) => found.push(`slide ${index + 1}: ${text}`);
    const frame = slide.getBoundingClientRect(), scale = frame.width / 1280;
    const outside = (box) => box.width > 0 &&
      (box.left < frame.left - 1 || box.right > frame.right - 20 * scale || box.top < frame.top - 1 || box.bottom > frame.bottom - 50 * scale);
    for (const image of slide.querySelectorAll('img')) {
      if (!image.naturalWidth) say(`no picture ${image.getAttribute('src')}`);
      else { // as wide as it is drawn: object-fit may leave room at its sides
        const { width, height } = image.getBoundingClientRect();
        const drawn = Math.min(width, height * image.naturalWidth / image.naturalHeight) / scale;
        pictures.push({ slide: index + 1, name: image.getAttribute('src'), url: image.src, width: drawn });
      }
      if (outside(image.getBoundingClientRect())) say(`picture ${image.getAttribute('src')} overflows`);
    }
    for (const block of slide.querySelectorAll('pre, code, table'))
      if (block.scrollWidth > block.clientWidth + 1 && getComputedStyle(block).display !== 'inline') say(`too wide: ${block.innerText.slice(0, 40)}`);
    const texts = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    for (let node; (node = texts.nextNode());) {
      const words = node.textContent.trim();
      if (!words || node.parentElement.closest('style, script, [data-marpit-presenter-notes]')) continue;
      const range = document.createRange(), style = getComputedStyle(node.parentElement);
      range.selectNodeContents(node);
      if ([...range.getClientRects()].some(outside)) say(`overflows: ${words.slice(0, 40)}`);
      if (parseFloat(style.fontSize) < SMALLEST_PX) say(`text of ${style.fontSize}: ${words.slice(0, 40)}`);
      const ratio = contrast(rgba(style.color), background(node.parentElement));
      if (ratio < CONTRAST) say(`contrast ${ratio.toFixed(1)}: ${words.slice(0, 40)}`);
    }
  });
  return { count: slides.length, found, pictures };
}

// In the browser, a picture by itself: its smallest letters, as wide as it stands on the slide, and their contrast with what is
// painted behind them.
function inspectPicture({ width, SMALLEST_PX, CONTRAST }) {
  const found = new Set(), svg = document.documentElement;
  const numbers = (colour) => (colour.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const painted = (element) => {
    const fill = getComputedStyle(element).fill;
    return fill !== 'none' && (numbers(fill)[3] ?? 1) === 1 && fill;
  };
  const luminance = (c) => {
    const [r, g, b] = [c[0], c[1], c[2]].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const shapes = [...svg.querySelectorAll('rect, polygon, path, ellipse')].filter(painted);
  for (const text of svg.querySelectorAll('text')) {
    const words = text.textContent.trim(), style = getComputedStyle(text);
    if (!words) continue;
    const size = parseFloat(style.fontSize) * width / svg.viewBox.baseVal.width;
    if (size < SMALLEST_PX) found.add(`letters of ${size.toFixed(1)} px: ${words.slice(0, 30)}`);
    const box = text.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
    const behind = shapes.filter((shape) => {
      const area = shape.getBoundingClientRect();
      return shape.compareDocumentPosition(text) & 4 && area.left <= x && x <= area.right && area.top <= y && y <= area.bottom;
    }).pop();
    const [high, low] = [style.fill, behind ? painted(behind) : 'rgb(255, 255, 255)'].map((c) => luminance(numbers(c))).sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < CONTRAST) found.add(`contrast ${ratio.toFixed(1)}: ${words.slice(0, 30)}`);
  }
  return [...found];
}

(async () => {
  const browser = await puppeteer.launch({
    executablePath: process.env.BROWSER,
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
  const wrong = new Set();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 720 });
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      if (/^(file|data|blob):/.test(request.url())) return request.continue();
      wrong.add(`asks the network for ${request.url()}`);
      return request.abort();
    });
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.goto(`file://${process.argv[2]}`, { waitUntil: 'load' });
      const { count, found, pictures } = await page.evaluate(inspect, { SMALLEST_PX, CONTRAST });
      if (count < LEAST || count > MOST) wrong.add(`${count} slides, where ${LEAST} to ${MOST} are asked`);
      found.forEach((text) => wrong.add(`${scheme}, ${text}`));
      for (const { slide, name, url, width } of pictures.filter(({ url }) => url.endsWith('.svg'))) {
        await page.goto(url, { waitUntil: 'load' });
        (await page.evaluate(inspectPicture, { width, SMALLEST_PX, CONTRAST }))
          .forEach((text) => wrong.add(`${scheme}, slide ${slide}: ${name}: ${text}`));
      }
    }
  } finally {
    await browser.close();
  }
  [...wrong].forEach((text) => console.log(text));
  process.exit(wrong.size ? 1 : 0);
})();
