/** A warning or an error on the console is a failed test. */
for (const channel of ['warn', 'error']) {
  console[channel] = (...words) => {
    throw new Error(`console.${channel}: ${words.join(' ')}`);
  };
}
