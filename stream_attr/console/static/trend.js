// Draws the lines of figures by day. What is drawn stands in a table below it, too.
(function () {
  "use strict";

  // Of several lines each has a mark and a stroke of its own: colours alone tell nothing apart.
  const SYMBOLS = ["emptyCircle", "rect", "triangle", "diamond", "pin", "arrow"];
  const TYPES = ["solid", "dashed", "dotted", "solid", "dashed", "dotted"];

  function axisText(trend) {
    return function (value) {
      if (trend.kind === "rate") return Math.round(value * 100) + "%";
      return new Intl.NumberFormat("en", { maximumFractionDigits: 2 }).format(value);
    };
  }

  function draw(box) {
    const trend = JSON.parse(box.dataset.trend);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const several = trend.series.length > 1;
    box.classList.add("drawn");
    if (several) box.classList.add("several");
    const chart = echarts.init(box, null, { renderer: "svg" });
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: 14, top: 12, bottom: several ? 44 : 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        formatter: (points) =>
          [trend.days[points[0].dataIndex]]
            .concat(points.map((one) => (several ? one.seriesName + " " : "") + trend.series[one.seriesIndex].texts[one.dataIndex]))
            .join("\n"),
      },
      xAxis: {
        type: "category",
        data: trend.days,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: colour("--line") } },
        axisLabel: { color: colour("--quiet"), formatter: (day) => day.slice(5), hideOverlap: true },
      },
      yAxis: {
        type: "value",
        min: 0,
        splitNumber: 3,
        axisLabel: { color: colour("--quiet"), formatter: axisText(trend) },
        splitLine: { lineStyle: { color: colour("--line") } },
      },
      legend: several ? { bottom: 0, itemHeight: 9, textStyle: { color: colour("--ink") } } : undefined,
      series: trend.series.map((one, at) => ({
        type: "line",
        name: one.name,
        data: one.values,
        symbol: SYMBOLS[at],
        symbolSize: several ? 7 : 5,
        lineStyle: { color: colour("--line-" + at), width: 2, type: TYPES[at] },
        itemStyle: { color: colour("--line-" + at) },
      })),
    });
    const fit = () => chart.resize();
    window.addEventListener("resize", fit);
    window.addEventListener("beforeprint", fit);
  }

  document.querySelectorAll("[data-trend]").forEach(draw);
})();
