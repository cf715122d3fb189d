import { pageFiles } from '@turnwire/inspector';

const files = pageFiles().filter(({ bytes, type }) => bytes.length > 500 && type.includes('utf-8'));
console.log(files.map(({ path }) => path).join(' '));
