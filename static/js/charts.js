// ECharts, drawn when a chart comes near the window. Colours are our tokens; tooltips are DOM nodes, because a
// formatter that returns text would carry style attributes, which the content security policy blocks.
(() => {
  const root = document.documentElement;
  const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const language = root.lang || "en";
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const narrow = (node) => node.clientWidth < 480;

  const colours = () => ({
    text: token("--c-text"), muted: token("--c-muted"), line: token("--c-line"), surface: token("--c-surface"),
    first: token("--c-1"), firstSoft: token("--c-1-soft"), second: token("--c-2"), ghost: token("--c-ghost"),
  });

  const money = (currency, options) =>
    new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...options });
  // Three figures and the unit as the language writes it: the server hands over the patterns.
  const figures = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const short = ({ written }) => ({
    format: (value) => {
      const [size, unit] = written.units.find(([step]) => Math.abs(value) >= step) ?? [1, "#"];
      return written.amount.replace("#", unit.replace("#", figures.format(value / size)));
    },
  });
  // Room for the labels of an axis: some languages write "12 Tsd. €" where others write "€12k".
  const gutter = (data) => Math.max(56, 6.5 * short(data).format(88800).length);
  const whole = (currency) => money(currency, { maximumFractionDigits: 0 });

  const element = (tag, css, text) => {
    const node = document.createElement(tag);
    if (css) node.className = css;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const tip = (title, rows) => {
    const box = element("div", "ct");
    box.append(element("div", "ct-h", title));
    for (const [mark, label, value] of rows) {
      const row = element("div", "ct-r");
      row.append(element("i", `k ${mark}`), element("span", "", label), element("b", "", value));
      box.append(row);
    }
    return box;
  };

  const tooltip = (formatter, extra) => ({
    confine: true, className: "ct-box", backgroundColor: "transparent", borderWidth: 0, padding: 0,
    shadowBlur: 0, shadowColor: "transparent", transitionDuration: calm ? 0 : 0.12, formatter, ...extra,
  });

  const line = (name, data, colour, extra) => ({
    name, type: "line", data, symbol: "circle", symbolSize: 6, showSymbol: data.length < 2,
    lineStyle: { width: 2, color: colour }, itemStyle: { color: colour }, ...extra,
  });

  const fade = (colour) =>
    new echarts.graphic.LinearGradient(0, 0, 0, 1, [{ offset: 0, color: colour }, { offset: 1, color: "rgba(0,0,0,0)" }]);

  // Round bounds close to the values, so that a strip of 46 pixels shows their movement.
  const bounds = (values) => {
    const known = values.filter((value) => value !== null);
    if (!known.length) return { min: 0, max: 1 };
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const step = 10 ** Math.floor(Math.log10(Math.max(high - low, high / 10, 1e-9)));
    return { min: Math.floor(low / step) * step, max: Math.ceil(high / step) * step || step };
  };

  // Monthly revenue as an area from zero; average predicted value in a strip of its own below, never on a second axis.
  const trend = (data, c, node) => {
    const every = Math.ceil(data.months.length / (narrow(node) ? 4 : 9));
    const x = {
      type: "category", data: data.months, boundaryGap: false, axisTick: { show: false },
      axisLine: { lineStyle: { color: c.line } },
      axisPointer: { type: "line", lineStyle: { color: c.ghost, type: [4, 4] }, label: { show: false } },
    };
    const y = (unit, extra) => ({
      type: "value", axisLabel: { color: c.muted, fontSize: 12, formatter: (v) => unit.format(v) },
      splitLine: { lineStyle: { color: c.line } }, ...extra,
    });
    const strip = bounds(data.clv);
    const margin = { left: gutter(data), right: 22, outerBoundsMode: "none" };
    const label = { color: c.muted, fontSize: 12, margin: 10, interval: (i) => i % every === 0 };
    const marks = (i) => [
      ["k1", data.labels.revenue, whole(data.currency).format(data.revenue[i])],
      ...(data.before[i] === null ? [] : [["kg", data.labels.before, whole(data.currency).format(data.before[i])]]),
      ...(data.clv[i] === null ? [] : [["k2", data.labels.clv, whole(data.currency).format(data.clv[i])]]),
    ];
    return {
      grid: [{ ...margin, top: narrow(node) ? 56 : 36, bottom: 104 }, { ...margin, height: 46, bottom: 26 }],
      legend: {
        top: 0, left: 0, icon: "roundRect", itemWidth: 16, itemHeight: 3, itemGap: 18, selectedMode: false,
        textStyle: { color: c.muted, fontSize: 12 }, data: [data.labels.revenue, data.labels.before, data.labels.clv],
      },
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      tooltip: tooltip((points) => tip(data.months[points[0].dataIndex], marks(points[0].dataIndex)), { trigger: "axis" }),
      xAxis: [{ ...x, gridIndex: 0, axisLabel: { show: false } }, { ...x, gridIndex: 1, axisLabel: label }],
      yAxis: [
        y(short(data), { gridIndex: 0, min: 0, splitNumber: 4 }),
        y(short(data), { gridIndex: 1, ...strip, interval: strip.max - strip.min, splitLine: { show: false } }),
      ],
      series: [
        line(data.labels.before, data.before, c.ghost, { symbol: "none", lineStyle: { width: 1.5, color: c.ghost } }),
        line(data.labels.revenue, data.revenue, c.first, {
          z: 3, lineStyle: { width: 2.25, color: c.first }, areaStyle: { color: fade(c.firstSoft) },
        }),
        line(data.labels.clv, data.clv, c.second, { xAxisIndex: 1, yAxisIndex: 1 }),
      ],
    };
  };

  const treemap = (data, c, node) => {
    const sum = data.segments.reduce((total, segment) => total + segment.value, 0);
    const byName = new Map(data.segments.map((segment) => [segment.name, segment]));
    const rows = (s) => [
      ["k-none", data.labels.value, whole(data.currency).format(s.value)],
      ["k-none", data.labels.customers, s.customers.toLocaleString(language)],
      ["k-none", data.labels.average, whole(data.currency).format(s.average)],
    ];
    return {
      tooltip: tooltip(({ name }) => (byName.has(name) ? tip(name, rows(byName.get(name))) : "")),
      series: [{
        type: "treemap", roam: false, nodeClick: "link", breadcrumb: { show: false }, left: 0, right: 0, top: 0, bottom: 0,
        itemStyle: { gapWidth: 3, borderWidth: 0, borderColor: c.surface, borderRadius: 6 },
        label: {
          position: "insideTopLeft", padding: [4, 4], fontSize: narrow(node) ? 12 : 13, fontWeight: 550, lineHeight: 18, overflow: "truncate",
          // A small cell has no room for two words beside each other.
          formatter: ({ name, value }) =>
            `${value / sum < 0.15 ? name.replace(" ", "\n") : name}\n${short(data).format(value)}`,
        },
        data: data.segments.map((s) => ({
          name: s.name, value: s.value, link: s.url, target: "_self",
          itemStyle: { color: token(`--seg-${s.hue}`) },
          label: { color: token(`--seg-${s.hue}-on`), show: s.value / sum > 0.03 },
        })),
      }],
    };
  };

  const dates = language === "en" ? "en-GB" : language; // pages say 21 November, too
  const dayName = (day) => new Date(day).toLocaleDateString(dates, { dateStyle: "medium", timeZone: "UTC" });
  const count = (value) => value.toLocaleString(language);
  const percent = (value) => (value / 100).toLocaleString(language, { style: "percent", maximumFractionDigits: 0 });
  const compactCount = (value) => value.toLocaleString(language, { notation: "compact", maximumFractionDigits: 1 });
  const pairs = (days, values) => days.map((day, i) => [Date.parse(day), values[i]]);
  const dayLength = 864e5;

  // Evenly apart from the first day to the last, with the year where months come twice.
  const timeAxis = (c, node, days, extra) => {
    const first = Date.parse(days[0]), span = (Date.parse(days.at(-1)) - first) / dayLength;
    const steps = Math.min(narrow(node) ? 3 : 6, span);
    const written = span > 300 ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" };
    return {
      type: "time", axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } }, splitLine: { show: false },
      axisLabel: {
        color: c.muted, fontSize: 12, hideOverlap: true,
        formatter: (at) => new Date(at).toLocaleDateString(dates, { ...written, timeZone: "UTC" }),
        customValues: [...Array(steps + 1).keys()].map((i) => first + Math.round((i * span) / (steps || 1)) * dayLength),
      },
      axisPointer: { type: "line", lineStyle: { color: c.ghost, type: [4, 4] }, label: { show: false } }, ...extra,
    };
  };

  // One segment: customers, value and share at risk in three strips below each other, each from zero.
  const history = (data, c, node) => {
    const colour = token(`--seg-${data.hue}`);
    const strips = [
      { key: "customers", top: 26, height: 120, format: compactCount, full: count, colour },
      { key: "value", top: 186, height: 70, format: short(data).format, full: whole(data.currency).format, colour: c.first },
      { key: "risk", top: 296, height: 50, format: percent, full: percent, colour: c.second },
    ];
    return {
      title: strips.map(({ key, top }) => ({
        text: data.labels[key], left: 0, top: top - 26, textStyle: { color: c.muted, fontSize: 12, fontWeight: 500 },
      })),
      grid: strips.map(({ top, height }) => ({ left: gutter(data), right: 22, top, height, outerBoundsMode: "none" })),
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      tooltip: tooltip((points) => {
        const i = points[0].dataIndex;
        const known = strips.filter(({ key }) => data[key][i] !== null);
        return tip(dayName(data.days[i]), known.map(({ key, full }) => ["k-none", data.labels[key], full(data[key][i])]));
      }, { trigger: "axis" }),
      xAxis: strips.map((_, i) => timeAxis(c, node, data.days, { gridIndex: i, ...(i < 2 ? { axisLabel: { show: false } } : {}) })),
      yAxis: strips.map(({ format, key }, i) => ({
        type: "value", gridIndex: i, min: 0, splitNumber: i ? 1 : 3, ...(key === "risk" ? { max: 100, interval: 100 } : {}),
        axisLabel: { color: c.muted, fontSize: 12, formatter: format }, splitLine: { lineStyle: { color: c.line } },
      })),
      series: strips.map(({ key, colour: own }, i) => line(data.labels[key], pairs(data.days, data[key]), own, {
        xAxisIndex: i, yAxisIndex: i, areaStyle: { color: own, opacity: 0.12 },
      })),
    };
  };

  // Every segment's customers on top of each other; the tooltip lists those that have any.
  const sizes = (data, c, node) => ({
    grid: { left: 56, right: 22, top: narrow(node) ? 84 : 60, bottom: 28, outerBoundsMode: "none" },
    legend: {
      top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 14,
      textStyle: { color: c.muted, fontSize: 12 }, data: data.segments.map((segment) => segment.name),
    },
    tooltip: tooltip((points) => {
      const i = points[0].dataIndex;
      const some = data.segments.filter((segment) => segment.customers[i]);
      return tip(dayName(data.days[i]), some.map((s) => [`seg-${s.hue}`, s.name, count(s.customers[i])]));
    }, { trigger: "axis" }),
    xAxis: timeAxis(c, node, data.days),
    yAxis: {
      type: "value", min: 0, splitNumber: 4, axisLabel: { color: c.muted, fontSize: 12, formatter: compactCount },
      splitLine: { lineStyle: { color: c.line } },
    },
    series: data.segments.map((segment) => line(segment.name, pairs(data.days, segment.customers), token(`--seg-${segment.hue}`), {
      stack: "all", symbol: "none", lineStyle: { width: 1, color: c.surface },
      areaStyle: { color: token(`--seg-${segment.hue}`), opacity: 0.9 },
    })),
  });

  // Customers after their first order: who still buys, and below what they have earned beside what they cost.
  const curves = (data, c, node) => {
    const every = Math.ceil(data.months.length / (narrow(node) ? 8 : 24));
    const margin = { left: gutter(data), right: 22, outerBoundsMode: "none" };
    const title = (text, top) => ({ text, left: 0, top, textStyle: { color: c.muted, fontSize: 12, fontWeight: 500 } });
    const x = (gridIndex, shown) => ({
      type: "category", data: data.months, gridIndex, boundaryGap: false, axisTick: { show: false },
      axisLine: { lineStyle: { color: c.line } },
      axisLabel: { show: shown, color: c.muted, fontSize: 12, interval: (i) => i % every === 0 },
      axisPointer: { type: "line", lineStyle: { color: c.ghost, type: [4, 4] }, label: { show: false } },
    });
    const y = (gridIndex, format) => ({
      type: "value", gridIndex, splitNumber: 3, axisLabel: { color: c.muted, fontSize: 12, formatter: format },
      splitLine: { lineStyle: { color: c.line } },
    });
    const paid = data.payback === null || data.margin[data.payback] === null ? {} : {
      markPoint: {
        symbol: "circle", symbolSize: 11, itemStyle: { color: c.surface, borderColor: c.first, borderWidth: 2.5 },
        label: {
          formatter: data.labels.payback, color: c.text, fontSize: 12, distance: 8,
          ...(data.payback ? { position: "bottom" } : { position: "right", offset: [0, -14] }), // clear of the axis and of the cost
        },
        data: [{ coord: [data.payback, data.margin[data.payback]] }],
      },
    };
    const row = (mark, label, value, format) => (value === null ? [] : [[mark, label, format(value)]]);
    const retention = data.retention.map((value, month) => (month ? value : null)); // all of them are there in month 0
    return {
      title: [title(data.labels.retention, 0), title(data.labels.margin, 176)],
      grid: [{ ...margin, top: 30, height: 120 }, { ...margin, top: narrow(node) ? 222 : 206, bottom: 24 }],
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      tooltip: tooltip((points) => {
        const i = points[0].dataIndex;
        return tip(data.labels.month.replace("%s", i), [
          ...row("k1", data.labels.retention, data.retention[i], percent),
          ...row("k1", data.labels.margin, data.margin[i], whole(data.currency).format),
          ...row("k2", data.labels.cost, data.cost, whole(data.currency).format),
        ]);
      }, { trigger: "axis" }),
      xAxis: [x(0, false), x(1, true)],
      legend: {
        show: data.cost !== null, top: narrow(node) ? 192 : 174, right: narrow(node) ? null : 22, left: narrow(node) ? 0 : null, icon: "path://M0 0h5v1H0zM8 0h5v1H8z", itemWidth: 16, itemHeight: 2,
        selectedMode: false, textStyle: { color: c.muted, fontSize: 12 }, data: [data.labels.cost],
      },
      yAxis: [{ ...y(0, percent), min: 0 }, y(1, short(data).format)],
      series: [
        line(data.labels.retention, retention, c.first, { areaStyle: { color: c.first, opacity: 0.12 } }),
        line(data.labels.margin, data.margin, c.first, {
          xAxisIndex: 1, yAxisIndex: 1, areaStyle: { color: c.first, opacity: 0.12 }, ...paid,
        }),
        line(data.labels.cost, data.months.map(() => data.cost), c.second, {
          xAxisIndex: 1, yAxisIndex: 1, symbol: "none", lineStyle: { color: c.second, width: 1.5, type: [6, 4] },
        }),
      ],
    };
  };

  // One key figure over time, from zero.
  const course = (data, c, node) => {
    const number = (value) => value.toLocaleString(language, { maximumFractionDigits: 2 });
    const [onAxis, full] = {
      money: [short(data).format, money(data.currency).format], percent: [percent, percent], number: [number, number],
    }[data.unit];
    return {
      grid: { left: gutter(data), right: 22, top: 12, bottom: 28, outerBoundsMode: "none" },
      tooltip: tooltip(([{ dataIndex: i }]) => tip(dayName(data.days[i]), [["k1", data.label, full(data.values[i])]]), { trigger: "axis" }),
      xAxis: timeAxis(c, node, data.days),
      yAxis: {
        type: "value", splitNumber: 3, axisLabel: { color: c.muted, fontSize: 12, formatter: onAxis },
        splitLine: { lineStyle: { color: c.line } },
      },
      series: [line(data.label, pairs(data.days, data.values), c.first, { areaStyle: { color: c.first, opacity: 0.12 } })],
    };
  };

  const builders = { course, trend, treemap, history, sizes, curves };
  const live = new Map();

  const draw = (node) => {
    const data = JSON.parse(document.getElementById(node.dataset.source).textContent);
    let chart = live.get(node);
    if (!chart) {
      chart = echarts.init(node, null, { renderer: "canvas" });
      live.set(node, chart);
      new ResizeObserver(() => chart.resize()).observe(node);
    }
    const text = { textStyle: { fontFamily: getComputedStyle(document.body).fontFamily } };
    const motion = { animation: !calm, animationDuration: 350 };
    chart.setOption({ ...text, ...motion, ...builders[node.dataset.chart](data, colours(), node) }, true);
  };

  // The library is as large as the rest of a page: it is fetched when the first chart comes into the window.
  const { echarts: source } = document.currentScript.dataset;
  let library;
  const fetched = () => {
    library ??= new Promise((resolve) => {
      const script = element("script");
      script.src = source;
      script.addEventListener("load", resolve);
      document.head.append(script);
    });
    return library;
  };

  // One chart per task: nothing long runs while the page loads.
  const queue = [];
  const next = () => {
    const node = queue.shift();
    if (!node) return;
    draw(node);
    setTimeout(next, 0);
  };
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      if (queue.push(target) === 1) fetched().then(next);
    }
  });

  const scan = (part) => part.querySelectorAll("[data-chart]").forEach((node) => live.has(node) || near.observe(node));
  document.fonts.ready.then(() => scan(document));
  document.addEventListener("htmx:afterSettle", (event) => scan(event.detail.target));
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    live.get(event.target)?.dispose();
    live.delete(event.target);
  });
  document.addEventListener("themechange", () => live.forEach((_, node) => draw(node)));
})();
