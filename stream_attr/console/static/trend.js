// Draws the lines of figures by day. What is drawn stands in a table below it, too.
(function () {
  "use strict";

  function axisText(trend) {
    return function (value) {
      if (trend.kind === "rate") return Math.round(value * 100) + "%";
      return new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" }).format(value);
    };
  }

  function draw(box) {
    const trend = JSON.parse(box.dataset.trend);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    box.classList.add("drawn");
    const chart = echarts.init(box, null, { renderer: "svg" });
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: 14, top: 12, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        formatter: (points) => trend.days[points[0].dataIndex] + "\n" + trend.texts[points[0].dataIndex],
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
      series: [
        {
          type: "line",
          data: trend.values,
          symbolSize: 5,
          lineStyle: { color: colour("--accent"), width: 2 },
          itemStyle: { color: colour("--accent") },
        },
      ],
    });
    const fit = () => chart.resize();
    window.addEventListener("resize", fit);
    window.addEventListener("beforeprint", fit);
  }

  document.querySelectorAll("[data-trend]").forEach(draw);
})();
