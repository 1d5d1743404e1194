'use strict';
(() => {
  const tables = [...document.querySelectorAll('table[data-rows]')];

  // ---- sorting: a button in a column's head; the same one again turns the order around
  const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const number = (text) => (/^\d/.test(text) ? parseFloat(text) : text === 'ERROR' ? -1 : -2);
  const compare = (column) => (a, b) => {
    const [one, other] = [a, b].map((row) => row.cells[column].textContent.trim());
    return column === 0 ? names.compare(one, other) : number(one) - number(other);
  };
  const sort = (button) => {
    const table = button.closest('table'), head = button.closest('th'), column = Number(button.dataset.sort);
    // points: the best first; names: from the beginning
    const first = column === 0 ? 'ascending' : 'descending', second = column === 0 ? 'descending' : 'ascending';
    const order = head.getAttribute('aria-sort') === first ? second : first;
    const rows = [...table.tBodies[0].rows].sort(compare(column));
    table.querySelectorAll('[aria-sort]').forEach((other) => other.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', order);
    table.tBodies[0].append(...(order === 'ascending' ? rows : rows.reverse()));
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-sort]');
    if (button) sort(button);
  });

  // ---- search: in every table at once; marks over letters make no difference
  const search = document.getElementById('search'), said = document.querySelector('output');
  const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const found = tables.map((table) => [...table.tBodies[0].rows].map((row) => [row, plain(row.cells[0].textContent)]));
  const filter = () => {
    const wanted = plain(search.value.trim());
    for (const rows of found) for (const [row, name] of rows) row.hidden = !name.includes(wanted);
    const shown = found[0].filter(([row]) => !row.hidden).length;
    said.textContent = wanted ? `${shown} of ${found[0].length} students` : '';
  };
  search.closest('[hidden]').hidden = false;
  search.addEventListener('input', filter);
  filter(); // a browser that goes back keeps what was typed

  // ---- the test's name at a cell, when it is asked for
  const words = { f: 'fail', s: 'skip', e: 'could not be checked' };
  document.addEventListener('pointerover', (event) => {
    const cell = event.target.closest('table.matrix tbody td');
    if (!cell || cell.title || cell.cellIndex < 2 || cell.colSpan > 1) return;
    const head = cell.closest('table').tHead.rows[1].cells[cell.cellIndex - 2];
    if (head && cell.textContent.trim()) cell.title = `${head.title}: ${words[cell.className] || 'pass'}`;
  });

  // ---- a link into something folded unfolds it
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    for (let folded = target; folded; folded = folded.parentElement) if (folded.tagName === 'DETAILS') folded.open = true;
    if (target) target.scrollIntoView();
  };
  window.addEventListener('hashchange', unfold);
  if (location.hash) unfold();
})();
