import { render } from 'preact';
import { App } from './app.tsx';
import { ExchangeList } from './exchange-list.ts';

const place = document.getElementById('app');
if (place !== null) {
  const list = new ExchangeList();
  list.connect('api/exchanges');
  render(<App list={list} />, place);
}
