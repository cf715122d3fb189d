export { systemClock } from '@turnwire/wire/internal/runtime/system-clock';
