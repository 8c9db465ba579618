/** Stands for a style sheet or an SVG file, which jsdom does not draw. */
module.exports = '<svg xmlns="http://www.w3.org/2000/svg"/>';
